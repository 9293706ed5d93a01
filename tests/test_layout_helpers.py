"""PyTorch's OIHW weights to the layouts of dwsep and back."""

import numpy as np
import pytest
from calls import depthwise, normals, out_of_bound
from oracle import Estimate

import dwsep


def numbered(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_depthwise():
    theirs = numbered(6, 1, 2, 5)  # three channels, two filters each
    ours = dwsep.depthwise_weights_from_torch(theirs, multiplier=2)
    assert ours.shape == (2, 5, 3, 2)
    for c, m, kh, kw in np.ndindex(3, 2, 2, 5):
        assert ours[kh, kw, c, m] == theirs[c * 2 + m, 0, kh, kw]


def test_pointwise():
    theirs = numbered(4, 7, 1, 1)
    ours = dwsep.pointwise_weights_from_torch(theirs)
    assert np.array_equal(ours, theirs[:, :, 0, 0].T)
    assert np.array_equal(dwsep.pointwise_weights_from_torch(theirs[:, :, 0, 0]), ours)
    assert np.array_equal(dwsep.pointwise_weights_to_torch(ours[None, None]), theirs)


def test_conv2d():
    theirs = numbered(4, 3, 2, 5)
    assert np.array_equal(dwsep.conv2d_weights_from_torch(theirs), theirs.transpose(2, 3, 1, 0))


@pytest.mark.parametrize(
    ("family", "shape"),
    [("depthwise", (6, 1, 3, 5)), ("pointwise", (4, 7, 1, 1)), ("conv2d", (4, 3, 2, 5))],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_there_and_back(family, shape, dtype):
    theirs = numbered(*shape).astype(dtype)
    before = theirs.copy()
    ours = getattr(dwsep, f"{family}_weights_from_torch")(theirs)
    back = getattr(dwsep, f"{family}_weights_to_torch")(ours)
    assert ours.dtype == back.dtype == np.dtype(dtype)
    assert ours.flags.c_contiguous
    assert back.flags.c_contiguous
    assert not np.shares_memory(ours, theirs)
    assert not np.shares_memory(back, ours)
    assert np.array_equal(back, theirs)
    assert np.array_equal(theirs, before)


@pytest.mark.parametrize("multiplier", [1, 2, 3])
def test_depthwise_with_a_multiplier_there_and_back(multiplier):
    theirs = numbered(6, 1, 3, 5)
    ours = dwsep.depthwise_weights_from_torch(theirs, multiplier)
    assert np.array_equal(dwsep.depthwise_weights_to_torch(ours), theirs)


def test_three_axes_are_multiplier_one():
    ours = numbered(3, 5, 6)
    expected = dwsep.depthwise_weights_to_torch(ours[..., None])
    assert np.array_equal(dwsep.depthwise_weights_to_torch(ours), expected)


def test_a_torch_layer_gives_the_same_output():
    torch = pytest.importorskip("torch")
    call = depthwise(normals(1), (2, 8, 9, 5), (3, 5), 2, padding=(1, 2))
    theirs = dwsep.depthwise_weights_to_torch(call.arrays["weight"])
    layer = torch.nn.Conv2d(5, 10, (3, 5), padding=(1, 2), groups=5, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(theirs))
        layer.bias.copy_(torch.from_numpy(call.arrays["bias"]))
        x = torch.from_numpy(call.arrays["x"].astype(np.float64)).permute(0, 3, 1, 2)
        value = layer(x).permute(0, 2, 3, 1).numpy()
    assert out_of_bound(call.run(), Estimate(value, call.oracle().bound)) is None


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("depthwise_weights_from_torch", numbered(6, 2, 3, 3)),
        ("depthwise_weights_from_torch", numbered(6, 3, 3)),
        ("depthwise_weights_to_torch", numbered(3, 3)),
        ("pointwise_weights_from_torch", numbered(4, 7, 3, 3)),
        ("pointwise_weights_to_torch", numbered(3, 3, 7, 4)),
        ("conv2d_weights_from_torch", numbered(4, 7)),
        ("conv2d_weights_to_torch", numbered(4, 7)),
    ],
)
def test_wrong_shapes(name, wrong):
    with pytest.raises(ValueError, match=r"^weight\b") as caught:
        getattr(dwsep, name)(wrong)
    assert str(wrong.shape) in str(caught.value)
    with pytest.raises(TypeError, match=r"^weight\b.*list"):
        getattr(dwsep, name)(wrong.tolist())


@pytest.mark.parametrize(
    ("multiplier", "shown"), [(0, "0"), (-1, "-1"), (4, "4"), (1.5, "float"), ("2", "str")]
)
def test_wrong_multiplier(multiplier, shown):
    with pytest.raises((TypeError, ValueError), match="multiplier") as caught:
        dwsep.depthwise_weights_from_torch(numbered(6, 1, 3, 3), multiplier)
    assert shown in str(caught.value)
