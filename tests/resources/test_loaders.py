"""torchvision's own loaders, unchanged, in the ways that notebooks call them."""

from __future__ import annotations

from tests.resources.conftest import Notebook


def test_mnist_downloads_at_any_root_and_again(notebook: Notebook) -> None:
    ran = notebook("""
import os
from torchvision import datasets, transforms
from torch.utils.data import DataLoader
t = transforms.Compose([
    transforms.Resize((32, 32)), transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
for root in ('./data', 'mnist_data/', '~/.pytorch/MNIST_data/', os.getcwd() + '/files'):
    train = datasets.MNIST(root=root, train=True, download=True, transform=t)
    test = datasets.MNIST(root, train=False, download=True, transform=t)
    print(len(train), len(test), sorted(set(train.targets.tolist())), tuple(train[0][0].shape))
again = datasets.MNIST('./data', train=True, transform=t)
x, y = next(iter(DataLoader(again, batch_size=64, shuffle=True)))
print(tuple(x.shape))
""")
    assert ran.code == 0, ran.err
    *roots, last = ran.out.splitlines()
    assert roots == ["3000 1000 [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] (1, 32, 32)"] * 4 and last == "(64, 1, 32, 32)"
    train = ran.datasets[0]
    assert (train.dataset, train.split, train.size, train.classes) == ("mnist", "train", 3000, 10)
    assert not train.stand_in and train.preprocessing is not None and train.preprocessing.known
    assert [s["name"] for s in train.preprocessing.steps] == ["Resize", "ToTensor", "Normalize"]
    assert train.preprocessing.steps[0]["size"] == [32, 32] and train.preprocessing.steps[2]["mean"] == [
        0.1307
    ]
    assert {d.split for d in ran.datasets} == {"train", "test"}
    (told,) = ran.substitutions
    assert "real subset of 3,000 training" in told.given and not told.stand_in and "mnist" in told.asked


def test_fashion_mnist_is_not_answered_with_digits(notebook: Notebook) -> None:
    ran = notebook("""
from torchvision.datasets import FashionMNIST, MNIST
f = FashionMNIST('data', download=True); m = MNIST('data', download=True)
print(len(f), len(m), f.data.float().std().item() != m.data.float().std().item())
""")
    assert ran.code == 0, ran.err
    assert ran.out.split() == ["1000", "3000", "True"]
    assert {(d.dataset, d.stand_in) for d in ran.datasets} == {("fashion-mnist", True), ("mnist", False)}


def test_cifar10_and_its_checksums(notebook: Notebook) -> None:
    ran = notebook("""
import torchvision, torchvision.transforms as transforms, torch
t = transforms.Compose([
    transforms.RandomHorizontalFlip(), transforms.RandomCrop(32, padding=4), transforms.ToTensor()])
train = torchvision.datasets.CIFAR10(root='./data', train=True, download=True, transform=t)
test = torchvision.datasets.CIFAR10(root='./data', train=False, download=False, transform=t)
print(len(train), len(test), train.classes[3], train.data.shape, sorted(set(test.targets)))
open('data/cifar-10-batches-py/test_batch', 'ab').write(b'x')
try:
    torchvision.datasets.CIFAR10(root='./data', train=False)
except RuntimeError as e:
    print(e)
""")
    assert ran.code == 0, ran.err
    assert "100 50 cat (100, 32, 32, 3) [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]" in ran.out
    assert "not found or corrupted" in ran.out, "a damaged file must not pass for a substituted one"
    assert ran.datasets[0].dataset == "cifar10" and ran.datasets[0].stand_in


def test_flowers102(notebook: Notebook) -> None:
    ran = notebook("""
from torchvision import datasets, transforms
from torchvision.models import VGG16_Weights
for split in ('train', 'val', 'test'):
    t = VGG16_Weights.DEFAULT.transforms()
    d = datasets.Flowers102(root='data', split=split, download=True, transform=t)
    x, y = d[0]
    print(len(d), tuple(x.shape), 0 <= y < 102)
""")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [f"{n} (3, 224, 224) True" for n in (12, 6, 12)]
    assert [(d.dataset, d.split, d.classes) for d in ran.datasets] == [
        ("flowers102", s, 102) for s in ("train", "validation", "test")
    ]
    steps = ran.datasets[0].preprocessing.steps if ran.datasets[0].preprocessing else ()
    assert [s["name"] for s in steps] == [
        "Resize",
        "CenterCrop",
        "PILToTensor",
        "ConvertImageDtype",
        "Normalize",
    ]


def test_image_folder_under_the_names_students_use(notebook: Notebook) -> None:
    ran = notebook("""
import os
from torchvision import datasets, transforms
t = transforms.Compose([transforms.Resize((224, 224)), transforms.ToTensor()])
for path in ('data/train', 'data/val', 'dataset/train', './path/to/val', os.path.join('data', 'test')):
    d = datasets.ImageFolder(path, transform=t)
    print(len(d), len(d.classes), tuple(d[0][0].shape))
image_datasets = {x: datasets.ImageFolder(os.path.join('hymenoptera_data', x), t) for x in ['train', 'val']}
print(image_datasets['train'].classes)
os.makedirs('data/train/circle', exist_ok=True)
open('data/train/circle/mine.txt', 'w').write('a student may add files')
try:
    datasets.ImageFolder('no/such/folder')
except FileNotFoundError as e:
    print('FileNotFoundError', e)
""")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[:5] == [f"{n} 3 (3, 224, 224)" for n in (12, 6, 12, 6, 6)]
    assert lines[5] == "['ants', 'bees']" and lines[6].startswith("FileNotFoundError")
    folder = ran.datasets[0]
    assert (folder.dataset, folder.split, folder.classes, folder.stand_in) == ("photos", "train", 3, True)
    assert any(s.asked == "data/train" and s.stand_in for s in ran.substitutions)


def test_a_folder_that_the_student_made_is_the_students(notebook: Notebook) -> None:
    ran = notebook("""
import os
from PIL import Image
from torchvision import datasets
for name in ('a', 'b'):
    os.makedirs(f'own/{name}'); Image.new('RGB', (8, 8)).save(f'own/{name}/1.png')
print(len(datasets.ImageFolder('own')))
""")
    assert ran.code == 0, ran.err
    assert [(d.dataset, d.stand_in) for d in ran.datasets] == [("image-folder", False)]


def test_preprocessing_that_cannot_be_described_is_said_to_be_unknown(notebook: Notebook) -> None:
    ran = notebook("""
from torchvision import datasets, transforms
from torch.utils.data import DataLoader, random_split
train = datasets.MNIST('data', download=True, transform=transforms.Compose([
    transforms.ToTensor(), transforms.Lambda(lambda x: x.repeat(3, 1, 1))]))
plain = datasets.MNIST('data')
flipped = datasets.MNIST('data', transform=transforms.ToTensor(), target_transform=lambda y: 9 - y)
late = datasets.MNIST('data', train=False)
late.transform = transforms.ToTensor()
part, rest = random_split(late, [800, 200])
DataLoader(part, batch_size=8)
""")
    assert ran.code == 0, ran.err
    lambda_, plain, flipped, before, loaded = [d.preprocessing for d in ran.datasets]
    assert lambda_ and not lambda_.known and lambda_.unknown_steps == ("Lambda",)
    assert plain and not plain.known
    assert flipped and flipped.unknown_steps == ("target_transform",)
    assert before and not before.known and loaded and loaded.known
    assert ran.datasets[-1].size == 800


def test_images_by_name_and_by_address(notebook: Notebook) -> None:
    ran = notebook("""
import urllib.request, requests, io
from PIL import Image
a, b, c = (Image.open(n) for n in ('sample.jpg', 'path/to/image.jpg', 'cat.png'))
print(a.convert('RGB').size, b.mode, c.format)
url, filename = ("https://github.com/pytorch/hub/raw/master/images/dog.jpg", "downloaded.jpg")
urllib.request.urlretrieve(url, filename)
print(Image.open(filename).size)
print(Image.open(io.BytesIO(requests.get(url, stream=True).content)).size)
print(Image.open(requests.get(url, stream=True).raw).size)
print(Image.open(urllib.request.urlopen(url)).size)
""")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == ["(640, 480) RGB PNG"] + ["(640, 480)"] * 4
    assert any(s.asked == "sample.jpg" for s in ran.substitutions)
    assert any(s.asked.endswith("dog.jpg") for s in ran.substitutions)


def test_an_unknown_address_fails_at_once_and_says_why(notebook: Notebook) -> None:
    ran = notebook("""
import urllib.request, urllib.error, requests
from torchvision.datasets import SVHN
for get in (urllib.request.urlopen, requests.get):
    try:
        get('https://example.org/weights.bin')
    except (urllib.error.URLError, requests.exceptions.ConnectionError) as e:
        print(type(e).__name__, 'no network' in str(e))
try:
    SVHN('data', download=True)
except urllib.error.URLError as e:
    print('no network' in str(e))
""")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == ["URLError True", "ConnectionError True", "True"]
    assert any(s.asked == "https://example.org/weights.bin" and not s.stand_in for s in ran.substitutions)


def test_hymenoptera_archive_is_downloaded_and_unpacked(notebook: Notebook) -> None:
    ran = notebook("""
from torchvision.datasets.utils import download_and_extract_archive
download_and_extract_archive('https://download.pytorch.org/tutorial/hymenoptera_data.zip', '.')
from torchvision import datasets
train, val = (datasets.ImageFolder(f'hymenoptera_data/{x}') for x in ('train', 'val'))
print(len(train), val.classes)
""")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-1] == "8 ['ants', 'bees']"
    assert {d.dataset for d in ran.datasets} == {"hymenoptera"} and all(d.stand_in for d in ran.datasets)
