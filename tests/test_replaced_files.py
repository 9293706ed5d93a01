"""A model and its file: what happens to the file afterwards is not the model's business."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import scripts
import small_networks

import dwsep


@pytest.fixture
def paths(tmp_path):
    """Save two networks, the second much shorter."""
    long, short = tmp_path / "long.dwsep", tmp_path / "short.dwsep"
    dwsep.Model(small_networks.classifier()).save(long)
    dwsep.Model(small_networks.channels_first()).save(short)
    assert short.stat().st_size < long.stat().st_size
    return long, short


@pytest.mark.parametrize("how", ["copied over", "emptied", "removed", "overwritten"])
def test_a_model_does_not_need_its_file(paths, how):
    long, short = paths
    model = dwsep.load(long)
    x = np.random.default_rng(0).standard_normal((2, 8, 8, 3), dtype=np.float32)
    wanted = model(x)
    content = model.__reduce__()[1]
    if how == "copied over":
        shutil.copyfile(short, long)
    elif how == "emptied":
        os.truncate(long, 0)
    elif how == "removed":
        long.unlink()
    else:
        long.write_bytes(bytes(len(content[0])))
    assert small_networks.same(model(x), wanted)
    assert model.__reduce__()[1] == content


def test_a_mapped_model_survives_a_file_that_is_replaced(paths):
    long, short = paths
    model = dwsep.load(long, mmap=True)
    x = np.random.default_rng(0).standard_normal((2, 8, 8, 3), dtype=np.float32)
    wanted = dwsep.load(long)(x)
    assert small_networks.same(model(x), wanted)
    os.replace(short, long)
    assert small_networks.same(model(x), wanted)
    again = dwsep.load(long, mmap=True)
    model.save(long)
    assert again.outputs[0].name == "scores"
    again(np.zeros((1, 3, 5, 7), np.float32))


def test_mapping_is_what_it_says(paths):
    """A mapped file is seen among the mappings of the process, one that was read is not."""
    if not os.path.exists("/proc/self/maps"):
        pytest.skip("no list of mappings")
    code = """
        model = dwsep.load(sys.argv[1], mmap=sys.argv[2] == "True")
        print(any(sys.argv[1] in line for line in open("/proc/self/maps")))
    """
    for mapped in ("True", "False"):
        assert scripts.run(code, str(paths[0]), mapped) == mapped


def test_only_files_are_mapped(paths):
    with pytest.raises(ValueError, match=r"mmap: need False for all but \.dwsep files"):
        dwsep.load(paths[0].read_bytes(), mmap=True)
    with pytest.raises(TypeError, match=r"mmap: need a bool, got 1 \(int\)"):
        dwsep.load(paths[0], mmap=1)
