# %% [markdown]
# # Question 6. LeNet-5 on MNIST
#
# LeNet-5 as in LeCun et al. (1998), with tanh and average pooling. The paper's images are 32×32;
# MNIST's are 28×28, so the first convolution pads them by 2. The network has 61,706 parameters.

# %%
import time

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %%
transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
train_data = datasets.MNIST("data", train=True, download=True, transform=transform)
test_data = datasets.MNIST("data", train=False, download=True, transform=transform)
train_loader = DataLoader(train_data, batch_size=64, shuffle=True)
test_loader = DataLoader(test_data, batch_size=500)


# %%
class LeNet5(nn.Module):
    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, kernel_size=5, padding=2),  # C1: 6@28x28
            nn.Tanh(),
            nn.AvgPool2d(2),  # S2: 6@14x14
            nn.Conv2d(6, 16, kernel_size=5),  # C3: 16@10x10
            nn.Tanh(),
            nn.AvgPool2d(2),  # S4: 16@5x5
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),  # C5
            nn.Tanh(),
            nn.Linear(120, 84),  # F6
            nn.Tanh(),
            nn.Linear(84, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x))


model = LeNet5().to(device)
print(f"Parameters: {sum(p.numel() for p in model.parameters()):,}")

# %%
EPOCHS = 12
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)

start = time.perf_counter()
for epoch in range(EPOCHS):
    model.train()
    total_loss = 0.0
    for images, labels in train_loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        total_loss += loss.item() * len(labels)
    scheduler.step()
    print(f"Epoch {epoch + 1}/{EPOCHS}: loss {total_loss / len(train_data):.4f}")
training_time = time.perf_counter() - start
print(f"Training time: {training_time:.1f} seconds")


# %%
@torch.no_grad()
def accuracy(model: nn.Module, loader: DataLoader) -> float:
    model.eval()
    correct = 0
    for images, labels in loader:
        predicted = model(images.to(device)).argmax(dim=1).cpu()
        correct += (predicted == labels).sum().item()
    return correct / len(loader.dataset)


print(f"Test accuracy: {accuracy(model, test_loader):.2%}")
