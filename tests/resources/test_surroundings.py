"""What notebooks expect around them: commands, Colab, input, exit. Cells run in an IPython shell."""

from __future__ import annotations

import pytest

from tests.resources.conftest import Notebook


def test_installing_packages_is_answered_in_every_way_of_writing_it(notebook: Notebook) -> None:
    ran = notebook([
        "!pip install torch torchvision matplotlib -q",
        "pip install numpy",
        "%pip install no-such-package==1.2",
        "import numpy as np\npip install scikit-learn\nprint('went on', np.ones(2).sum())",
        "!pip3 install --upgrade pip && python -m pip install torchsummary",
        "!apt-get update && apt-get install -y graphviz",
        "text = 'pip install x'\nassert text == 'pip install x'",
    ])  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.out.count("DONE") == 7 and "FAILED" not in ran.out, ran.out
    assert "went on 2.0" in ran.out
    told = {s.asked: s.given for s in ran.substitutions}
    assert (
        "already there: torch, torchvision, matplotlib"
        in told["!pip install torch torchvision matplotlib -q"]
    )
    assert any("no-such-package" in given and "not installed" in given for given in told.values())
    assert any("torchsummary" in given for given in told.values())


def test_wget_curl_unzip_and_tar(notebook: Notebook) -> None:
    ran = notebook([
        "import os",
        "!wget -q https://download.pytorch.org/tutorial/hymenoptera_data.zip\n!unzip -q hymenoptera_data.zip",
        "print(sorted(os.listdir('hymenoptera_data/train')))",
        "url = 'https://github.com/pytorch/hub/raw/master/images/dog.jpg'\n!curl -L -o my_dog.jpg {url}\n"
        "from PIL import Image; print(Image.open('my_dog.jpg').size)",
        "!wget https://download.pytorch.org/models/alexnet-owt-7be5be79.pth -O weights.pth\n"
        "import torch; print(len(torch.load('weights.pth')))",
        "!wget https://example.org/data.zip\nprint('code', _exit_code)",
        "!curl -O https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz"
        " && tar -xzf flower_photos.tgz && ls flower_photos",
        "files = !ls flower_photos\nprint(len(files), files[-1])",
    ])  # fmt: skip
    assert ran.code == 0, ran.err
    assert "FAILED" not in ran.out, ran.out
    for expected in ("['ants', 'bees']", "(640, 480)", "16\n", "code 4", "5 tulips\n"):
        assert expected in ran.out, (expected, ran.out)
    assert any(s.asked == "https://example.org/data.zip" for s in ran.substitutions)


def test_colab(notebook: Notebook) -> None:
    ran = notebook([
        "from google.colab import drive\ndrive.mount('/content/drive')",
        "from google.colab import files, userdata\nuploaded = files.upload()\nname = next(iter(uploaded))\n"
        "import io; from PIL import Image; print(Image.open(io.BytesIO(uploaded[name])).size)\n"
        "print(repr(userdata.get('KEY')))\nfiles.download(name)",
        "from google.colab.patches import cv2_imshow",
        "import os; print(sorted(os.listdir('drive/MyDrive/data'))[:2])",
    ])  # fmt: skip
    assert ran.code == 0, ran.err
    assert "FAILED" not in ran.out, ran.out
    assert "(640, 480)" in ran.out and "['test', 'train']" in ran.out
    asked = {s.asked for s in ran.substitutions}
    assert {"drive.mount('/content/drive')", "files.upload()", "userdata.get('KEY')"} <= asked


def test_input_and_exit_do_not_block_or_end_the_kernel(notebook: Notebook) -> None:
    ran = notebook([
        "name = input('Your name? ')\nprint(repr(name))",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    print('failed'); exit()",
        "quit()",
        "exit",
        "print('still here')",
    ])  # fmt: skip
    assert ran.code == 0, ran.err
    assert "FAILED" not in ran.out and "still here" in ran.out and "''" in ran.out
    assert {s.asked for s in ran.substitutions} == {"input('Your name? ')", "exit()"}


def test_streamlit_apps_are_read_and_not_served(notebook: Notebook) -> None:
    ran = notebook([
        "%%writefile app.py\nimport streamlit as st\nst.title('X-rays')\n"
        "f = st.file_uploader('Image', type=['jpg'])\nif f is not None:\n    st.image(f)\n",
        "!streamlit run app.py &>/dev/null&",
        "!streamlit run missing.py",
        "import streamlit as st\n@st.cache_resource\ndef load():\n    return 3\nst.title('t')\n"
        "print(load())\na, b = st.columns(2)\nwith a:\n    st.write('x')\nif st.button('go'):\n    exit()\n"
        "model = st.sidebar.selectbox('Model', ['VGG', 'ResNet'])\nprint(model, st.file_uploader('f'))",
        "!npx localtunnel --port 8501",
        "from pyngrok import ngrok\nurl = ngrok.connect(8501)",
        # what was started in the background may ask later than what came after it
        "import sys, time\n(notes,) = (m.folder() + '/notes.jsonl' for n, m in sys.modules.items() if n.endswith('inside.record'))\n"
        "for _ in range(300):\n    if 'run app.py' in open(notes).read():\n        break\n    time.sleep(0.1)",
    ])  # fmt: skip
    assert ran.code == 0, ran.err
    assert "FAILED" not in ran.out, ran.out
    assert "3\n" in ran.out and "VGG None" in ran.out
    told = {s.asked: s.given for s in ran.substitutions if "streamlit run" in s.asked}
    first, second = (next(g for a, g in told.items() if name in a) for name in ("app.py", "missing.py"))
    assert first.startswith("not started: an app is read") and "no missing.py" in second


@pytest.mark.parametrize("how", ["from tqdm.notebook import tqdm", "from tqdm.auto import tqdm"])
def test_notebook_progress_bars_are_plain(notebook: Notebook, how: str) -> None:
    ran = notebook(
        [f"{how}\nfor i in tqdm(range(3), desc='Epochs'):\n    pass", "!nvidia-smi", "!echo hello"]
    )
    assert ran.code == 0, ran.err
    assert "FAILED" not in ran.out and "Epochs" in ran.err and "hello" in ran.out
