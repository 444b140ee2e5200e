# %% [markdown]
# # Question 9. GoogLeNet on CIFAR-10
#
# A GoogLeNet with its nine inception modules and batch normalisation. CIFAR-10's images have 32×32
# pixels where GoogLeNet was made for 224×224, so the stem reduces them less.

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %%
transform = transforms.Compose(
    [transforms.ToTensor(), transforms.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))]
)
train_data = datasets.CIFAR10("data", train=True, download=True, transform=transform)
val_data = datasets.CIFAR10("data", train=False, download=True, transform=transform)
train_loader = DataLoader(train_data, batch_size=min(128, len(train_data) // 5), shuffle=True)
val_loader = DataLoader(val_data, batch_size=250)


# %%
def convolution(channels: int, maps: int, kernel: int) -> nn.Sequential:
    """Convolution that keeps the size, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, maps, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(maps), nn.ReLU()
    )


class Inception(nn.Module):
    """Four branches side by side: 1×1; 1×1 then 3×3; 1×1 then 5×5; pooling then 1×1. Joined by channel."""

    def __init__(self, channels: int, n1: int, r3: int, n3: int, r5: int, n5: int, pool: int) -> None:
        super().__init__()
        self.branch1 = convolution(channels, n1, 1)
        self.branch3 = nn.Sequential(convolution(channels, r3, 1), convolution(r3, n3, 3))
        self.branch5 = nn.Sequential(convolution(channels, r5, 1), convolution(r5, n5, 5))
        self.branch_pool = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), convolution(channels, pool, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.branch1(x), self.branch3(x), self.branch5(x), self.branch_pool(x)], dim=1)


class GoogLeNet(nn.Module):
    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            convolution(3, 64, 3), nn.MaxPool2d(2), convolution(64, 192, 3), nn.MaxPool2d(2)
        )
        self.inceptions = nn.Sequential(
            Inception(192, 64, 96, 128, 16, 32, 32),  # 3a
            Inception(256, 128, 128, 192, 32, 96, 64),  # 3b
            nn.MaxPool2d(2),
            Inception(480, 192, 96, 208, 16, 48, 64),  # 4a
            Inception(512, 160, 112, 224, 24, 64, 64),  # 4b
            Inception(512, 128, 128, 256, 24, 64, 64),  # 4c
            Inception(512, 112, 144, 288, 32, 64, 64),  # 4d
            Inception(528, 256, 160, 320, 32, 128, 128),  # 4e
            nn.MaxPool2d(2),
            Inception(832, 256, 160, 320, 32, 128, 128),  # 5a
            Inception(832, 384, 192, 384, 48, 128, 128),  # 5b
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1024, classes)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.inceptions(self.stem(x)))


model = GoogLeNet().to(device)
print(f"Parameters: {sum(p.numel() for p in model.parameters()):,}")

# %%
EPOCHS = 10
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)


@torch.no_grad()
def accuracy(loader: DataLoader) -> float:
    model.eval()
    correct = 0
    for images, labels in loader:
        correct += (model(images.to(device)).argmax(dim=1).cpu() == labels).sum().item()
    return correct / len(loader.dataset)


history: dict[str, list[float]] = {"train": [], "val": []}
for epoch in range(EPOCHS):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        criterion(model(images.to(device)), labels.to(device)).backward()
        optimizer.step()
    history["train"].append(accuracy(train_loader))
    history["val"].append(accuracy(val_loader))
    print(
        f"Epoch {epoch + 1}/{EPOCHS}: training accuracy {history['train'][-1]:.2%}, "
        f"validation accuracy {history['val'][-1]:.2%}"
    )

# %%
epochs = range(1, EPOCHS + 1)
plt.plot(epochs, history["train"], marker="o", label="Training accuracy")
plt.plot(epochs, history["val"], marker="o", label="Validation accuracy")
plt.title("GoogLeNet on CIFAR-10")
plt.xlabel("Epoch")
plt.ylabel("Accuracy")
plt.legend()
plt.show()

gap = history["train"][-1] - history["val"][-1]
print(f"Gap between training and validation accuracy after {EPOCHS} epochs: {gap:.2%}")

# %% [markdown]
# ## Analysis
#
# The model overfits. The training accuracy goes on rising while the validation accuracy falls behind
# it, and the gap printed above stays: the network, with its six million parameters and neither
# augmentation nor weight decay, learns the training images themselves. It does not underfit, since
# the training accuracy is high at the end. The fewer the training images, the wider the gap.
# Random crops and flips, weight decay, more dropout, or stopping early would reduce the overfitting.
