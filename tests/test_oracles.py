"""Against convolutions that others wrote, where they are installed; skipped elsewhere."""

import choices
import numpy as np
import oracle
import pytest
import sweeps
from calls import Call, assert_all, conv2d, depthwise, normals, out_of_bound

# --- PyTorch: every operator and activation, in float64 ----------------------------------------


def torch_activation(torch, spec):
    functional = torch.nn.functional
    name, *parameters = spec if isinstance(spec, tuple) else (spec,)
    if name == "leaky_relu":
        slope = float(np.float32(parameters[0] if parameters else 0.01))
        return lambda y: functional.leaky_relu(y, slope)
    if name == "clip":
        return lambda y: y.clamp(*(float(np.float32(p)) for p in parameters))
    return {
        None: lambda y: y,
        "relu": functional.relu,
        "relu6": functional.relu6,
        "hard_swish": functional.hardswish,
        "hard_sigmoid": functional.hardsigmoid,
        "sigmoid": torch.sigmoid,
        "silu": functional.silu,
        "swish": functional.silu,
        "tanh": torch.tanh,
        "gelu": functional.gelu,
    }[name]


def torch_value(torch, call: Call) -> np.ndarray:
    """Compute a call in float64 with PyTorch, stage by stage."""
    a, o = call.arrays, call.options

    def convolve(x, w, bias, stage, groups=1, window=None):
        """Convolve NCHW `x` with OIHW `w`."""
        window = window or {"stride": 1, "padding": 0, "dilation": 1}
        (top, bottom), (left, right) = oracle.resolve_padding(
            window["padding"], x.shape[2:], w.shape[2:], window["stride"], window["dilation"]
        )
        y = torch.nn.functional.conv2d(
            torch.nn.functional.pad(x, (left, right, top, bottom)),
            torch.from_numpy(np.ascontiguousarray(w, np.float64)),
            None if bias is None else torch.from_numpy(bias.astype(np.float64)),
            window["stride"],
            0,
            window["dilation"],
            groups,
        )
        if stage == "activation" and "residual" in a:
            residual = a["residual"].reshape(-1, *a["residual"].shape[-3:])
            y = y + torch.from_numpy(residual.astype(np.float64)).permute(0, 3, 1, 2)
        return torch_activation(torch, o.get(stage))(y)

    window = {"stride": 1, "padding": "same", "dilation": 1}
    window.update((name, o[name]) for name in window if name in o)

    def matrix(x, name, bias, stage):
        return convolve(x, a[name].T[:, :, None, None], a.get(bias), stage)

    def taps(x, name, bias, stage):
        kh, kw, channels, multiplier = a[name].shape
        w = a[name].transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, kh, kw)
        return convolve(x, w, a.get(bias), stage, channels, window)

    x = a["x"].reshape(-1, *a["x"].shape[-3:]).astype(np.float64)
    x = torch.from_numpy(x).permute(0, 3, 1, 2)
    if call.function == "depthwise_conv2d":
        y = taps(x, "weight", "bias", "activation")
    elif call.function == "pointwise_conv2d":
        y = matrix(x, "weight", "bias", "activation")
    elif call.function == "conv2d":
        w = a["weight"].transpose(3, 2, 0, 1)
        y = convolve(x, w, a.get("bias"), "activation", o["groups"], window)
    else:
        if call.function == "inverted_residual":
            x = matrix(x, "expand_weight", "expand_bias", "expand_activation")
        x = taps(x, "depthwise_weight", "depthwise_bias", "depthwise_activation")
        y = matrix(x, "weight", "bias", "activation")
    return y.permute(0, 2, 3, 1).numpy()


def test_torch():
    torch = pytest.importorskip("torch")

    def judge(call):
        value = torch_value(torch, call)
        return out_of_bound(call.run(), oracle.Estimate(value, call.oracle().bound))

    def calls():
        for seed in range(4):
            yield from sweeps.small(normals(seed), exact=False, seed=seed)
        yield from sweeps.blocks(normals(9), exact=False)

    assert_all(calls(), judge)


# --- ONNX Runtime: the meaning of padding, stride, dilation and groups ----------------------------


def onnx_session(onnx, runtime, call: Call):
    """Make a one-node model; the padding goes into it by name where ONNX has a name for it."""
    w, groups = call.arrays["weight"], call.options.get("groups", 1)
    if call.function == "depthwise_conv2d":
        groups = w.shape[2]
        w = w.reshape(*w.shape[:2], 1, -1)
    options = {"group": groups, "strides": oracle.pair(call.options["stride"])}
    padding = call.options["padding"]
    if isinstance(padding, str):
        names = {"same": "SAME_UPPER", "same_lower": "SAME_LOWER", "valid": "VALID"}
        options["auto_pad"] = names[padding]
    else:
        (top, bottom), (left, right) = oracle.resolve_padding(padding, None, None)
        options["pads"] = (top, left, bottom, right)
    options["dilations"] = oracle.pair(call.options["dilation"])
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    weights = np.ascontiguousarray(w.transpose(3, 2, 0, 1))
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w", "b"], ["y"], **options)],
        "one",
        [helper.make_tensor_value_info("x", floats, [None] * 4)],
        [helper.make_tensor_value_info("y", floats, [None] * 4)],
        [
            onnx.numpy_helper.from_array(weights, "w"),
            onnx.numpy_helper.from_array(call.arrays["bias"], "b"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = 1
    return runtime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )


def onnx_calls():
    draw, choose = normals(1), choices.Chooser("onnx")
    for kernel in choices.KERNELS:
        for padding in choices.PADDINGS:
            for stride in (1, 2, (1, 2)):
                # ONNX Runtime does not dilate with a padding by name.
                dilation = 1 if str(padding).startswith("same") else choose(choices.DILATIONS)
                window = {"stride": stride, "padding": padding, "dilation": dilation}
                shape = (2, choose((3, 8, 11, 14)), choose((5, 9, 12)), choose((2, 6, 16)))
                if choices.fits(shape[1:3], kernel, **window):
                    yield depthwise(draw, shape, kernel, choose((1, 2)), **window)
                    yield conv2d(draw, shape, 10, kernel, choose((1, 2)), **window)


def test_onnxruntime():
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")

    def judge(call):
        session = onnx_session(onnx, runtime, call)
        feeds = {"x": np.ascontiguousarray(call.arrays["x"].transpose(0, 3, 1, 2))}
        theirs = session.run(None, feeds)[0].transpose(0, 2, 3, 1).astype(np.float64)
        # Theirs is float32 as well, and may be off by as much as ours.
        return out_of_bound(call.run(), oracle.Estimate(theirs, 2 * call.oracle().bound))

    assert_all(onnx_calls(), judge)
