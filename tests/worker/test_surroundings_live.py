"""What real notebooks do around their answer, each in a sandboxed kernel: it works or is answered, and never blocks."""

from __future__ import annotations

import pytest
from kernels import LIMITS, Ran, execute

from grader.evidence.model import Profile
from grader.resources import bundle
from grader.worker.forkserver import ForkServer
from grader.worker.provisioner import DATA

CELLS = {
    "installs": "!pip install -q nosuchinfo kaggle\npip install torch\n%pip install numpy\n!pip install -r requirements.txt 2>&1 | tail -1",
    "installs by subprocess": "import os, subprocess, sys\n"
    "subprocess.check_call([sys.executable, '-m', 'pip', 'install', '-q', 'nosuchinfo'])\n"
    "print('exit', os.system('pip install numpy > /dev/null'))",
    "a bash cell": "%%bash\npip install gdown\nmkdir -p raw && cd raw\n"
    "wget -q https://download.pytorch.org/tutorial/hymenoptera_data.zip; unzip -q hymenoptera_data.zip\n"
    "echo 'a; b'\nls hymenoptera_data/train",
    "a loop in bash": "%%bash\nfor i in 1 2; do\n  echo number $i\ndone",
    "a loop that installs and fetches": "%%bash\nset -e\nBASE=https://download.pytorch.org/tutorial\n"
    "for package in nosuchinfo numpy; do\n  pip install -q $package\ndone\n"
    "if [ ! -d bees ]; then\n  mkdir bees && cd bees\n  wget -qO data.zip $BASE/hymenoptera_data.zip \\\n    && unzip -q data.zip\nfi\n"
    "ls bees hymenoptera_data 2>/dev/null | wc -l\nls hymenoptera_data/val",
    "a script of another shell": "%%sh\nnvidia-smi || echo 'no GPU'\nsudo apt-get install -y graphviz\nkaggle datasets list || true",
    "a script magic": "%%script bash --no-raise-error\ngit clone https://github.com/someone/something.git\necho went on",
    "to the output": "!curl -sL https://download.pytorch.org/tutorial/hymenoptera_data.zip > piped.zip\n"
    "!wget -qO- https://download.pytorch.org/tutorial/hymenoptera_data.zip | wc -c\n!unzip -qo piped.zip -d piped && ls piped/*",
    "subprocess in every form": "import os, subprocess, sys\n"
    "done = subprocess.run(['pip', 'install', 'gdown'], capture_output=True, text=True)\nprint(done.returncode, done.stdout.strip())\n"
    "print(subprocess.getoutput('python -m pip install torch'))\n"
    "print(subprocess.check_output('cd raw && wget -q https://example.org/a.zip; echo code $?', shell=True, text=True).strip())\n"
    "print(os.popen('nvidia-smi').read().strip())\n"
    "print(subprocess.run('unzip -q piped.zip -d again', shell=True, cwd='/content').returncode, os.listdir('again'))",
    "the system's own": "!git --version && git init -q repo && echo made\n!pip --version; sudo echo as root\n"
    "!cd raw && python -c 'import os, pip; print(os.path.basename(os.getcwd()), pip.__file__)'",
    "a drive": "from google.colab import drive\ndrive.mount('/content/drive', force_remount=True)\n"
    "import os\nprint(sorted(os.listdir('/content/drive/MyDrive/data')))",
    "an upload": "from google.colab import files\nuploaded = files.upload()\nfrom PIL import Image\n"
    "for name in uploaded:\n    print(name, Image.open('/content/' + name).size)",
    "absolute paths": "from torchvision import datasets, transforms\n"
    "for root in ('/content/drive/MyDrive/data', '/kaggle/input/data'):\n"
    "    found = datasets.ImageFolder(root + '/train', transforms.ToTensor())\n"
    "    print(root.split('/')[1], len(found.classes) > 1, tuple(found[0][0].shape)[0])",
    "a folder that only its author has": "open('C:/Users/maria/data/train.csv')",
    "input": "name = input('Path of the image: ') or 'sample.jpg'\nprint('chosen', name)",
    "exit in a handler": "def load(path):\n    try:\n        return open(path)\n    except FileNotFoundError:\n"
    "        print('no such file')\n        exit(1)\nload('missing.bin')",
    "an app": "%%writefile app.py\nimport streamlit as st\nst.title('X-rays')\n"
    "if st.button('Go'):\n    st.stop()",
    "serving it": "!streamlit run app.py --server.port 8501 &>/content/logs.txt &\n"
    "import subprocess, time\nrunning = subprocess.Popen(['streamlit', 'run', 'app.py'])\n"
    "print(running.wait())\ntime.sleep(1)\n!cat /content/logs.txt\n"
    "from pyngrok import ngrok\npublic = ngrok.connect(8501)\nimport streamlit as st\nst.write('hello')",
    "a tunnel": "!sleep 1000 & npx localtunnel --port 8501\n!streamlit run app.py & npx localtunnel --port 8501",
    "a module": "%%writefile helpers.py\ndef double(x):\n    return 2 * x",
    "its import": "from helpers import double\nprint(double(21))",
    "progress": "from tqdm.notebook import tqdm, trange\nfor _ in tqdm(range(3), desc='Epoch'):\n    pass\n"
    "for _ in trange(2):\n    pass",
    "loader processes": "import torch\nfrom torch.utils.data import DataLoader\n"
    "from torchvision import datasets, transforms\n"
    "train = datasets.MNIST('/content/data', train=True, download=True, transform=transforms.ToTensor())\n"
    "class Mine(torch.utils.data.Dataset):\n    def __len__(self): return 64\n"
    "    def __getitem__(self, i): return train[i]\n"
    "loader = DataLoader(Mine(), batch_size=16, shuffle=True, num_workers=2, persistent_workers=True, pin_memory=True)\n"
    "print(sum(len(y) for _ in range(2) for x, y in loader))",
    "a window": "import matplotlib\nmatplotlib.use('TkAgg')\nimport matplotlib.pyplot as plt\n%matplotlib notebook\n"
    "plt.plot([1, 3, 2])\nplt.title('Loss')\nplt.show(block=True)",
    "an error after them": "1 / 0",
    "a picture": "import cv2\ncv2.imshow('x', None)\ncv2.waitKey(0)\ncv2.destroyAllWindows()",
    "a GPU": "!nvidia-smi\nimport torch\nprint(torch.device('cuda' if torch.cuda.is_available() else 'cpu').type in ('cpu', 'cuda'))",
    "the network": "import urllib.request\nurllib.request.urlopen('https://example.org/my-own-data.zip', timeout=30)",
    "the last": "import os\nprint(os.getcwd(), double(1))",
}


@pytest.fixture(scope="module")
def ran(server: ForkServer) -> Ran:
    """All cells, in one kernel."""
    given = bundle(Profile.SMOKE, ["mnist", "hymenoptera", "photos", "sample-image"])
    absolute = [each for each in given.links if each.path.startswith("/")]
    links = tuple({"path": each.path, "target": f"{DATA}/{each.target}"} for each in absolute)
    limits = LIMITS.model_copy(update={"cell": 60.0, "notebook": 300.0})
    return execute(server, *CELLS.values(), limits=limits, bundle=given.folder, links=links)


SAYS = {
    "installs": ("nosuchinfo is not available where this notebook is graded", "already satisfied: torch"),
    "installs by subprocess": ("exit 0",),
    "a bash cell": ("a; b\nants\nbees",),
    "a loop in bash": ("number 1\nnumber 2",),
    "a loop that installs and fetches": (
        "nosuchinfo is not available where this notebook is graded",
        "already satisfied: numpy",
        "ants\nbees",
    ),
    "a script of another shell": (
        "NVIDIA-SMI: no GPU is available",
        "no GPU\n",
        "kaggle: no network reaches",
    ),
    "a script magic": ("git: no network reaches", "went on"),
    "to the output": ("train\nval",),
    "subprocess in every form": (
        "0 WARNING: gdown is not available",
        "Requirement already satisfied: torch",
        "code 4",
        "NVIDIA-SMI: no GPU",
        "0 ['hymenoptera_data']",
    ),
    "the system's own": ("as root", "raw /home/student/.grade/modules/pip/__init__.py"),
    "a drive": ("Mounted at /content/drive", "train"),
    "an upload": ("sample.jpg (640, 480)",),
    "absolute paths": ("content True 3\nkaggle True 3",),
    "input": ("Path of the image: \nchosen sample.jpg",),
    "exit in a handler": ("no such file",),
    "serving it": ("not started: an app is read here, not served",),
    "its import": ("42",),
    "loader processes": ("128",),
    "a GPU": ("True",),
    "the last": ("/content 2",),
}
FAILS = {
    "an error after them": "ZeroDivisionError",
    "a folder that only its author has": "FileNotFoundError",
    "the network": "URLError",
}


@pytest.mark.parametrize("cell", CELLS)
def test_it_works_or_is_answered_and_the_notebook_goes_on(ran: Ran, cell: str) -> None:
    run = ran[list(CELLS).index(cell)]
    if cell == "a picture" and run.failure is not None and run.failure.name == "ModuleNotFoundError":
        pytest.skip("OpenCV is not installed here")
    told = f"{run.state}: {run.stdout} {run.failure}"
    assert run.state.value == ("failed" if cell in FAILS else "ok"), told
    if cell in FAILS:
        assert run.failure is not None and run.failure.name == FAILS[cell], told
    for words in SAYS.get(cell, ()):
        assert words in run.stdout, told


def test_all_of_it_in_one_kernel(ran: Ran) -> None:
    assert {r.kernel for r in ran.execution.runs} == {0} and ran.execution.state == "complete"


def test_what_was_answered_is_noted_with_its_cell(ran: Ran) -> None:
    noted = {(list(CELLS)[s.piece], s.asked) for s in ran.execution.substitutions if s.piece is not None}
    cells = {cell for cell, _ in noted}
    assert {
        "installs", "installs by subprocess", "a bash cell", "a drive", "an upload", "input", "exit in a handler",
        "serving it", "a tunnel", "the network",
    } <= cells  # fmt: skip
    assert any("nosuchinfo" in asked for cell, asked in noted if cell == "installs by subprocess")
    assert sum("streamlit run" in asked for cell, asked in noted if cell == "serving it") == 2


def test_a_figure_is_noted_under_any_backend(ran: Ran) -> None:
    (figure,) = ran[list(CELLS).index("a window")].figures
    assert figure.axes[0].title == "Loss" and len(figure.axes[0].lines) == 1
