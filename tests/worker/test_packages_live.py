"""What notebooks of Kaggle and Colab import and call besides, in a sandboxed kernel: it works, or is answered and named."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from kernels import LONG, Ran, execute

from grader.evidence.model import Profile
from grader.resources import bundle
from grader.worker.forkserver import ForkServer
from grader.worker.provisioner import DATA

CELLS = {
    "one cell of imports": "import no_such_package as nsp\nimport numpy as np, absent.part\n"
    "from missing_things import helper, Model as M\nimport torch\nprint(np.ones(2).sum(), torch.ones(1).item())",
    "what uses one": "x = 1\nnsp.plot(x)",
    "what uses a name from one": "helper(3)",
    "what builds on one": "class Mine(M):\n    pass",
    "what uses none": "print(np.zeros(1))",
    "a notebook that knows what to do": "try:\n    import no_such_package\nexcept ImportError:\n    print('without it')",
    "in a function": "def load():\n    import no_such_package\nload()",
    "a form": '#@title Setup { display-mode: "form" }\nepochs = 3 #@param {type:"slider", min:1, max:10}\n'
    "%tensorflow_version 2.x\n%load_ext no_such_extension\n%nosuchmagic 3\nprint(epochs)",
    "a shell of Colab's": "%%shell\nfor i in 1 2; do echo n$i; done",
    "TensorBoard's window": "%load_ext tensorboard\n%tensorboard --logdir logs\nprint('went on')",
    "Kaggle's key": "from google.colab import files\nfiles.upload()\n!mkdir -p ~/.kaggle && cp kaggle.json ~/.kaggle/\n"
    "!kaggle datasets download -d someone/chest-xray\n!unzip -q chest-xray.zip\nprint('went on')",
    "an archive that did not come": "import zipfile\nwith zipfile.ZipFile('chest-xray.zip') as archive:\n    archive.extractall()",
    "a walk": "import os\nfor folder, _, names in os.walk('/kaggle/input'):\n    for name in names[:1]:\n        os.path.join(folder, name)",
    "old pictures and maps": "from PIL import Image\nimport matplotlib.pyplot as plt\n"
    "print(Image.open('sample.jpg').resize((8, 8), Image.ANTIALIAS).size, plt.cm.get_cmap('viridis', 4).N)",
    "the drive's folder": "from google.colab import drive\ndrive.mount('/content/drive')\n%cd /content/drive/MyDrive\n"
    "!pwd\n%cd /content",
}
FAILS = {
    "what uses one": ("ModuleNotFoundError", "No module named 'no_such_package'", 2),
    "what uses a name from one": ("ModuleNotFoundError", "No module named 'missing_things'", 1),
    "what builds on one": ("ModuleNotFoundError", "No module named 'missing_things'", 1),
    "in a function": ("ModuleNotFoundError", "No module named 'no_such_package'", 2),
    "an archive that did not come": (
        "FileNotFoundError",
        "[Errno 2] No such file or directory: 'chest-xray.zip'",
        2,
    ),
}
SAYS = {
    "one cell of imports": "2.0 1.0",
    "a notebook that knows what to do": "without it",
    "a form": "3",
    "a shell of Colab's": "n1\nn2",
    "TensorBoard's window": "went on",
    "Kaggle's key": "kaggle: no network reaches a notebook here",
    "old pictures and maps": "(8, 8) 4",
    "the drive's folder": "/content/drive/MyDrive",
}
POPULAR = {
    "pandas": "import pandas as pd\nprint(pd.DataFrame({'loss': [2.0, 1.0]}).describe().shape)",
    "seaborn": "import seaborn as sns\nsns.set()\nsns.heatmap([[1, 2], [3, 4]], annot=True)",
    "sklearn": "from sklearn.metrics import classification_report, confusion_matrix\n"
    "from sklearn.model_selection import train_test_split\nprint(confusion_matrix([0, 1], [0, 1]).sum())",
    "skimage": "from skimage.transform import resize\nimport numpy as np\nprint(resize(np.ones((4, 4)), (2, 2)).shape)",
    "cv2": "import cv2\nprint(cv2.imread('sample.jpg').shape)",
    "torchsummary": "import torch\nfrom torchsummary import summary\n"
    "net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))\nsummary(net, (1, 28, 28))",
    "torchinfo": "from torchinfo import summary\nprint(summary(net, input_size=(1, 1, 28, 28)).total_params)",
    "torchviz": "from torchviz import make_dot\nprint(len(make_dot(net(torch.zeros(1, 1, 28, 28))).source) > 100)",
    "tensorboard": "from torch.utils.tensorboard import SummaryWriter\nwriter = SummaryWriter('runs/a')\n"
    "writer.add_scalar('loss', 1.0, 0)\nwriter.add_graph(net, torch.zeros(1, 1, 28, 28))\nwriter.close()",
    "torchmetrics": "import torchmetrics\nprint(torchmetrics.Accuracy(task='multiclass', num_classes=10)(torch.arange(3), torch.arange(3)))",
    "plotly": "import plotly.express as px\nfigure = px.line(y=[1, 2])",
    "tqdm": "from tqdm import tqdm\nprint(sum(tqdm(range(3))))",
    "ipywidgets": "import ipywidgets as widgets\nwidgets.IntSlider(value=3)",
    "livelossplot": "from livelossplot import PlotLosses\nPlotLosses()",
    "visualkeras": "import visualkeras",
}


def kernel(server: ForkServer, cells: dict[str, str]) -> Ran:
    given = bundle(Profile.SMOKE, ["mnist", "photos", "sample-image"])
    absolute = [each for each in given.links if each.path.startswith("/")]
    links = tuple({"path": each.path, "target": f"{DATA}/{each.target}"} for each in absolute)
    return execute(server, *cells.values(), limits=LONG, bundle=given.folder, links=links)


@pytest.fixture(scope="module")
def ran(server: ForkServer) -> Ran:
    return kernel(server, CELLS)


@pytest.mark.parametrize("cell", CELLS)
def test_a_missing_package_fails_where_it_is_used_and_nothing_else_does(ran: Ran, cell: str) -> None:
    run = ran[list(CELLS).index(cell)]
    failed = (run.failure.name, run.failure.message, run.failure.line) if run.failure is not None else None
    assert failed == FAILS.get(cell), run.stdout
    assert SAYS.get(cell, "") in run.stdout


def test_each_is_named_in_the_notes(ran: Ran) -> None:
    asked = {s.asked for s in ran.execution.substitutions}
    assert {"import no_such_package", "import absent", "import missing_things"} <= asked
    assert {"%tensorflow_version 2.x", "%nosuchmagic 3", "%load_ext no_such_extension"} <= asked
    assert {"%load_ext tensorboard", "%tensorboard --logdir logs"} <= asked


@pytest.fixture(scope="module")
def popular(server: ForkServer) -> Ran:
    return kernel(server, POPULAR)


@pytest.mark.slow
@pytest.mark.parametrize("package", POPULAR)
def test_what_most_notebooks_import_is_there(popular: Ran, package: str) -> None:
    if find_spec(package) is None:
        pytest.skip("the extra `notebooks` is not installed")
    run = popular[list(POPULAR).index(package)]
    assert run.failure is None, run.failure
