"""The code in the room's README runs as written, one block after the other, on a small data set."""

import re
from pathlib import Path

import emulator.training

README = Path(emulator.training.__file__).parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_readme_code_runs_and_repeats_itself_to_the_bit(
    small_dataset, tmp_path, monkeypatch, capsys
):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "v1.0-dev").symlink_to(small_dataset)
    monkeypatch.chdir(tmp_path)
    assert len(BLOCKS) == 2
    histories = []
    for name in ("first", "second"):
        scope = {}
        for block in BLOCKS:
            exec(compile(block, str(README), "exec"), scope)
        assert scope["theta"].shape[1] in (12, 27, 36)
        assert "best validation loss" in capsys.readouterr().out
        assert (tmp_path / "runs" / "readme" / "best.pt").exists()
        histories.append(scope["history"])
        (tmp_path / "runs" / "readme").rename(tmp_path / "runs" / name)
    assert histories[0] == histories[1]
