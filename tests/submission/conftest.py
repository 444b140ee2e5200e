"""Three small assignments in this test's own words, and a way to write notebooks down quickly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.submission import Submission, read


@dataclass(frozen=True)
class Question:
    id: str
    title: str
    prompt: str = ""
    signs: tuple[str, ...] = ()
    prose: bool = True


@dataclass(frozen=True)
class Assignment:
    id: str
    title: str
    questions: tuple[Question, ...]


def assignment(name: str, title: str, *questions: tuple[str, str, str, bool]) -> Assignment:
    made = (
        Question(f"q{i}", heading, prompt, tuple(s.strip() for s in signs.split(",")), prose)
        for i, (heading, prompt, signs, prose) in enumerate(questions, start=1)
    )
    return Assignment(name, title, tuple(made))


ARCHITECTURE = assignment(
    "cnn-architecture",
    "CNN architecture",
    (
        "Filters and feature maps",
        "What do filters do in a CNN, and what are feature maps?",
        "filter, feature map, kernel",
        True,
    ),
    (
        "Padding and stride",
        "What are padding and stride, and how do they set the size of the output?",
        "padding, stride, valid, same",
        True,
    ),
    (
        "Receptive field",
        "What is the receptive field, and why does it matter in deep networks?",
        "receptive field",
        True,
    ),
    (
        "Parameters of a convolution",
        "How do the filter's size and the stride change the number of parameters?",
        "number of parameters, bias",
        True,
    ),
    (
        "LeNet, AlexNet and VGG",
        "Compare LeNet, AlexNet and VGG: depth, filter sizes and performance.",
        "LeNet, AlexNet, VGG",
        True,
    ),
    (
        "Keras CNN on MNIST",
        "With Keras, build a simple CNN for MNIST, compile, train and evaluate it.",
        "keras, mnist, Sequential",
        False,
    ),
    (
        "Keras CNN on CIFAR-10",
        "With Keras, load and preprocess CIFAR-10 and train a CNN for RGB pictures.",
        "cifar10, keras, RGB",
        False,
    ),
    (
        "PyTorch CNN on MNIST",
        "With PyTorch, write a CNN for MNIST: model, data loaders, training loop, accuracy.",
        "torch, DataLoader, mnist",
        False,
    ),
    (
        "Augmentation from a folder",
        "Use Keras' ImageDataGenerator to augment a custom image folder and train a CNN.",
        "ImageDataGenerator, flow_from_directory",
        False,
    ),
    (
        "Chest X-rays to a Streamlit app",
        "Classify chest X-rays as normal or pneumonia; go from the data to a Streamlit app.",
        "streamlit, x-ray, pneumonia, chest",
        True,
    ),
)

CLASSIFICATION = assignment(
    "image-classification-cnn",
    "Image classification with CNNs",
    (
        "CNNs and dense networks",
        "Say what a convolutional network is and how its architecture and its results on images differ from "
        "a fully connected one.",
        "fully connected, shared weights, local connectivity",
        True,
    ),
    (
        "LeNet-5, architecture and legacy",
        "Go through LeNet-5's layers and how they laid the foundations; cite the original paper.",
        "LeCun, Gradient-based learning, C5, F6",
        True,
    ),
    (
        "AlexNet against VGGNet",
        "Contrast AlexNet with VGGNet in design, number of parameters, performance, innovations, limits.",
        "AlexNet, VGGNet, VGG-19, dropout",
        True,
    ),
    (
        "Transfer learning",
        "What does transfer learning mean, how does it save computation and help with limited data?",
        "transfer learning, feature extraction, fine-tuning",
        True,
    ),
    (
        "Residual connections",
        "What do residual connections do in ResNet and against vanishing gradients?",
        "residual, ResNet, vanishing gradient, shortcut",
        True,
    ),
    (
        "LeNet-5 on MNIST",
        "Train LeNet-5 on MNIST in a framework of your choice; give accuracy and training time.",
        "LeNet5, MNIST, training time",
        False,
    ),
    (
        "VGG16 fine-tuned",
        "Put a new top on a pretrained VGG16 and fine-tune it on a small data set such as flowers; discuss.",
        "vgg16, flowers, ImageFolder",
        False,
    ),
    (
        "AlexNet's filters and maps",
        "Visualise the filters and feature maps of the first convolution of AlexNet for one picture.",
        "alexnet, feature maps, filters",
        False,
    ),
    (
        "GoogLeNet on CIFAR-10",
        "Train GoogLeNet (Inception) on CIFAR-10, plot training and validation accuracy, analyse "
        "overfitting.",
        "googlenet, inception, CIFAR10, overfitting",
        False,
    ),
    (
        "X-rays with little data",
        "Propose an approach to X-rays (normal, pneumonia, COVID-19) with few labels, and its deployment.",
        "x-ray, pneumonia, COVID-19, deployment",
        True,
    ),
)

TEXTBOOK = assignment(
    "homl-14-deep-vision",
    "Exercises on deep vision",
    (
        "Why a CNN",
        "Which advantages has a CNN over a fully connected network for classifying images?",
        "fully connected, weight sharing, translation",
        True,
    ),
    (
        "Parameters and memory",
        "For three stride-2 layers with 100, 200 and 400 feature maps on 200 × 300 RGB: how many parameters, "
        "how much RAM to predict one instance, and to train on a batch of 50?",
        "903400, RAM, 32-bit floats",
        True,
    ),
    (
        "Out of GPU memory",
        "Five remedies when the GPU has no memory left during training.",
        "gradient checkpointing, mixed precision, batch size, gradient accumulation",
        True,
    ),
    (
        "Max pooling or strides",
        "What speaks for a max pooling layer and against a convolution of the same stride?",
        "max pooling, invariance",
        True,
    ),
    (
        "Local response normalisation",
        "When is a local response normalisation layer worth adding?",
        "local response normalization, LRN, neurons",
        True,
    ),
    (
        "Innovations since LeNet-5",
        "Main innovations of AlexNet over LeNet-5, and of GoogLeNet, ResNet, SENet and Xception.",
        "SENet, Xception, inception module, squeeze",
        True,
    ),
    (
        "Fully convolutional networks",
        "What is a fully convolutional network, and how does a dense layer become convolutional?",
        "fully convolutional, FCN, dense layer",
        True,
    ),
    (
        "Semantic segmentation",
        "What makes semantic segmentation technically hard?",
        "semantic segmentation, upsampling, pixel",
        True,
    ),
    (
        "Own CNN on MNIST",
        "Build your own CNN from scratch, as accurate on MNIST as you can.",
        "mnist, Conv2D, evaluate",
        False,
    ),
    (
        "Transfer learning for large images",
        "Transfer learning on large images: 100 per class, training, validation and test split, input "
        "pipeline, "
        "preprocessing, augmentation, fine-tune a pretrained model.",
        "tensorflow_datasets, MobileNetV2, tf_flowers, applications, base_model",
        False,
    ),
)


@pytest.fixture
def classification() -> Assignment:
    return CLASSIFICATION


@pytest.fixture
def textbook() -> Assignment:
    return TEXTBOOK


@pytest.fixture
def assignments() -> list[Assignment]:
    return [ARCHITECTURE, CLASSIFICATION, TEXTBOOK]


Write = Callable[..., Submission]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """A submission read back from a real file: ``("md" | "code", source)`` for each cell."""

    def write(*cells: tuple[str, str], name: str = "submission.ipynb") -> Submission:
        made = [new_markdown_cell(s) if kind == "md" else new_code_cell(s) for kind, s in cells]
        nbformat.write(new_notebook(cells=made), tmp_path / name)
        return read(tmp_path / name)

    return write


# ---------------------------------------------------------------- the ten answers, in students' words

PROMPTS = (
    "What is a CNN, and how does it differ from traditional fully connected networks in architecture and "
    "performance on images?",
    "Describe the LeNet-5 architecture and how it laid the foundation of modern computer vision. "
    "Reference the "
    "original research paper.",
    "Compare AlexNet and VGGNet: design, parameters and performance, with innovations and limitations.",
    "What is transfer learning in image classification? How does it reduce computational cost when "
    "data is limited?",
    "Describe residual connections in ResNet. How do they address vanishing gradients in deep CNNs?",
    "Implement LeNet-5 to classify MNIST. Report accuracy and training time.",
    "Use a pre-trained VGG16 on a small custom dataset such as flowers. Replace the top layers and "
    "fine-tune.",
    "Write a program to visualize filters and feature maps of the first layer of AlexNet on an "
    "example image.",
    "Train a GoogLeNet or its variant on CIFAR-10. Plot training and validation accuracy, analyze "
    "overfitting.",
    "A healthcare startup classifies X-ray images into normal, pneumonia and COVID-19 with limited "
    "labels. Suggest "
    "an approach and outline the deployment.",
)

ANSWERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        (
            "md",
            "It uses convolution and pooling, with local connectivity and shared weights; a fully connected "
            "net "
            "flattens the picture and loses its spatial structure, so CNNs do better on images.",
        ),
    ),
    (
        (
            "md",
            "LeNet-5 takes 32x32 digits through C1, S2, C3, S4, C5 and F6. LeCun et al. (1998), "
            "Gradient-based "
            "learning applied to document recognition, began it all.",
        ),
    ),
    (
        (
            "md",
            "AlexNet has 8 layers with 11x11 filters, ReLU and dropout, 60 million parameters. VGG-16 and "
            "VGG-19 "
            "stack 3x3 filters; VGGNet needs 138 million and is slow.",
        ),
    ),
    (
        (
            "md",
            "A model trained on ImageNet is reused for another task: transfer learning by feature "
            "extraction or "
            "fine-tuning. Fewer weights are trained, so little data suffices.",
        ),
    ),
    (
        (
            "md",
            "A shortcut adds the input, H(x) = F(x) + x, so the gradient flows straight through the residual "
            "block and does not vanish even in a ResNet of 152 layers.",
        ),
    ),
    (
        (
            "code",
            "import time\nimport torch\nfrom torch import nn\nfrom torchvision import datasets\n"
            "class LeNet5(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.c1 = nn.Conv2d(1, 6, 5)\n        self.c3 = nn.Conv2d(6, 16, 5)\n"
            "train = datasets.MNIST('data', train=True, download=True)\nmodel = LeNet5()\n",
        ),
        (
            "code",
            "start = time.time()\nfor epoch in range(3):\n    for x, y in loader:\n        loss = "
            "criterion(model(x), y)\n"
            "        loss.backward()\n        optimizer.step()\nprint('training time', time.time() - start)\n"
            "print('accuracy', correct / total)\n",
        ),
    ),
    (
        (
            "code",
            "from torchvision import datasets, models\ntrain = datasets.ImageFolder('data/train')\n"
            "vgg = models.vgg16(weights='IMAGENET1K_V1')\nfor p in vgg.features.parameters():\n"
            "    p.requires_grad = False\nvgg.classifier[6] = nn.Linear(4096, len(train.classes))\n",
        ),
        ("md", "The validation accuracy of the fine-tuned VGG16 shows that the new head learned fast."),
    ),
    (
        (
            "code",
            "from torchvision import models\nimport matplotlib.pyplot as plt\nalexnet = "
            "models.alexnet(weights='DEFAULT')\n"
            "filters = alexnet.features[0].weight.data\nfor i in range(16):\n    plt.imshow(filters[i][0])\n"
            "maps = alexnet.features[0](picture)\nplt.title('feature maps')\nplt.show()\n",
        ),
    ),
    (
        (
            "code",
            "import torchvision\ntrainset = torchvision.datasets.CIFAR10('data', download=True)\n"
            "net = torchvision.models.googlenet(weights=None, num_classes=10)\n",
        ),
        (
            "code",
            "plt.plot(train_acc, label='training')\nplt.plot(val_acc, label='validation')\nplt.legend()\n"
            "plt.show()\n",
        ),
        (
            "md",
            "The gap between training and validation accuracy grows: the GoogLeNet overfits after epoch 4.",
        ),
    ),
    (
        (
            "md",
            "I would take a pretrained ResNet, augment the X-ray images, and watch the sensitivity for "
            "pneumonia "
            "and COVID-19. Deployment: an API in a container, with monitoring.",
        ),
    ),
)


def answered(
    label: Callable[[int], str] = lambda i: f"**Question {i}:** ",
    *,
    prompts: bool = True,
    order: Sequence[int] = range(1, 11),
) -> list[tuple[str, str]]:
    """Cells of a whole submission: a prompt cell for each question, then its answer's cells."""
    cells: list[tuple[str, str]] = []
    for i in order:
        head = (label(i) + (PROMPTS[i - 1] if prompts else "")).strip()
        if head:
            cells.append(("md", head))
        cells += ANSWERS[i - 1]
    return cells


@pytest.fixture
def cells() -> Callable[..., list[tuple[str, str]]]:
    return answered


@pytest.fixture
def prompts() -> tuple[str, ...]:
    return PROMPTS


@pytest.fixture
def answers() -> tuple[tuple[tuple[str, str], ...], ...]:
    return ANSWERS
