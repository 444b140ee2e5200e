# %% [markdown]
# # Question 8. Filters and feature maps of AlexNet's first convolution

# %%
import matplotlib.pyplot as plt
import torch
from PIL import Image
from torchvision import models

weights = models.AlexNet_Weights.IMAGENET1K_V1
model = models.alexnet(weights=weights)
model.eval()
first = model.features[0]
print(first)
print(f"Filters: {tuple(first.weight.shape)}, parameters: {sum(p.numel() for p in first.parameters()):,}")

# %% [markdown]
# **Filters.** Each of the 64 filters is a small RGB image of 11×11 pixels. All are scaled together, so
# that their strengths can be compared.

# %%
filters = first.weight.detach()
filters = (filters - filters.min()) / (filters.max() - filters.min())

figure, axes = plt.subplots(4, 8, figsize=(10, 5.6))
for i, ax in enumerate(axes.flat):
    ax.imshow(filters[i].permute(1, 2, 0))
    ax.set_title(f"Filter {i + 1}", fontsize=7)
    ax.axis("off")
figure.suptitle("AlexNet, first convolution: 32 of 64 filters (11×11, RGB)")
plt.tight_layout()
plt.show()

# %% [markdown]
# **Feature maps.** The image is prepared as in training: resized, cropped to 224×224, normalised. With
# stride 4 and padding 2 each map has 55×55 values.

# %%
image = Image.open("sample.jpg").convert("RGB")
batch = weights.transforms()(image).unsqueeze(0)
with torch.no_grad():
    maps = first(batch)[0]
print(f"Feature maps: {tuple(maps.shape)}")

figure, axes = plt.subplots(4, 8, figsize=(10, 5.6))
for i, ax in enumerate(axes.flat):
    ax.imshow(maps[i], cmap="viridis")
    ax.set_title(f"Map {i + 1}", fontsize=7)
    ax.axis("off")
figure.suptitle("AlexNet, first convolution: 32 of 64 feature maps (55×55)")
plt.tight_layout()
plt.show()
