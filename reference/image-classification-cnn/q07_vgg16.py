# %% [markdown]
# # Question 7. VGG16 fine-tuned on a small data set
#
# The images lie in `data/train` and `data/val`, one folder for each class. The training has two
# stages: first the pretrained base is frozen and only the new head learns; then the last block of
# the base is fine-tuned with a small learning rate.

# %%
import time

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %%
# The base is fully convolutional and the head averages over places, so that 160 pixels will do.
SIZE = 160
normalise = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
train_transform = transforms.Compose(
    [
        transforms.RandomResizedCrop(SIZE, scale=(0.6, 1.0)),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        normalise,
    ]
)
val_transform = transforms.Compose([transforms.Resize((SIZE, SIZE)), transforms.ToTensor(), normalise])

train_data = datasets.ImageFolder("data/train", transform=train_transform)
val_data = datasets.ImageFolder("data/val", transform=val_transform)
train_loader = DataLoader(train_data, batch_size=16, shuffle=True)
val_loader = DataLoader(val_data, batch_size=16)
print(f"{len(train_data)} training and {len(val_data)} validation images of {train_data.classes}")

# %%
model = models.vgg16(weights=models.VGG16_Weights.IMAGENET1K_V1)
for parameter in model.features.parameters():
    parameter.requires_grad = False

model.avgpool = nn.AdaptiveAvgPool2d(1)
model.classifier = nn.Sequential(
    nn.Flatten(),
    nn.Linear(512, 256),
    nn.ReLU(),
    nn.Dropout(0.4),
    nn.Linear(256, len(train_data.classes)),
)
model = model.to(device)
criterion = nn.CrossEntropyLoss()


# %%
def train_epoch(optimizer: torch.optim.Optimizer) -> float:
    """One pass over the training data; returns the accuracy on it."""
    model.train()
    correct = 0
    for images, labels in train_loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        outputs = model(images)
        criterion(outputs, labels).backward()
        optimizer.step()
        correct += (outputs.argmax(dim=1) == labels).sum().item()
    return correct / len(train_data)


@torch.no_grad()
def validate() -> float:
    model.eval()
    correct = 0
    for images, labels in val_loader:
        correct += (model(images.to(device)).argmax(dim=1).cpu() == labels).sum().item()
    return correct / len(val_data)


# %% [markdown]
# **Stage 1: the new head, on a frozen base.**

# %%
start = time.perf_counter()
optimizer = torch.optim.Adam(model.classifier.parameters(), lr=1e-3)
for epoch in range(3):
    print(f"Head, epoch {epoch + 1}: training accuracy {train_epoch(optimizer):.2%}")
print(f"Validation accuracy with a frozen base: {validate():.2%}")

# %% [markdown]
# **Stage 2: the last block of the base as well, slowly.**

# %%
for parameter in model.features[24:].parameters():  # the three convolutions of block 5
    parameter.requires_grad = True
optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=1e-5)
for epoch in range(2):
    print(f"Fine-tuning, epoch {epoch + 1}: training accuracy {train_epoch(optimizer):.2%}")
print(f"Validation accuracy: {validate():.2%}")
print(f"Training time: {time.perf_counter() - start:.1f} seconds")

# %% [markdown]
# ## Discussion of the result
#
# The validation accuracies of the two stages printed above show what each adds. With pretrained
# weights the first stage does most of the work: the features that VGG16 learned on ImageNet carry
# over to the small data set, so a new head on the frozen base converges within a few epochs, and
# freezing keeps both the training time and the overfitting low. Fine-tuning the last block adapts the
# features a little further, which is why its learning rate is a hundred times smaller. With so few
# validation images the measured accuracy is noisy: one image more or less moves it visibly. More
# images, stronger augmentation, or cross-validation would make the result better and surer.
