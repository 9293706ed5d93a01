"""The lists of calls that the tests walk through.

`blocks` holds shapes of real networks, large enough to be cut into strips, blocks and threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from calls import Call, Draw, conv2d, depthwise, inverted_residual, pointwise, separable
from choices import CHANNELS, KERNELS, Chooser


def pointwise_channels(draw: Draw) -> Iterator[Call]:
    choose = Chooser("pointwise")
    more = (24, 40, 48, 80, 112)  # ragged panels of real networks
    for cin, cout in product((*CHANNELS, 24, 100), (*CHANNELS, *more)):
        yield pointwise(
            draw,
            (choose((1, 2)), *choose.size(), cin),
            cout,
            bias=choose((True, False)),
            residual=choose((True, False)),
            activation=choose.activation(),
        )


def pointwise_pixels(draw: Draw) -> Iterator[Call]:
    for pixels, cout in product(range(1, 34), (1, 8, 17, 33, 64, 96)):
        yield pointwise(draw, (1, 1, pixels, 19), cout)
    # Tiles that fetch the next panel, two and three of them too; no whole rounds of loops.
    for cin, size in product((65, 66, 67, 71), ((7, 7), (3, 4), (1, 17))):
        yield pointwise(draw, (1, *size, cin), 48)
    # Few inputs, and rows of y that are far, and no whole lines.
    yield pointwise(draw, (1, 150, 151, 19), 50)


def separable_channels(draw: Draw, kernel, exact=True) -> Iterator[Call]:
    choose = Chooser(kernel)
    for channels, cout, multiplier in product(CHANNELS, (1, 8, 17, 40), (1, 2, 3)):
        size = choose((choose.size(), choose.size(), (14, 15)))
        yield separable(
            draw,
            (choose((1, 2)), *size, channels),
            cout,
            kernel,
            multiplier,
            bias=choose((True, False)),
            residual=choose((True, False)),
            depthwise_activation=choose.activation(exact),
            activation=choose.activation(exact),
            **choose.window(size, kernel),
        )


def inverted_residual_channels(draw: Draw, kernel, exact=True) -> Iterator[Call]:
    choose = Chooser(kernel)
    for cin, hidden, cout in product((1, 8, 17, 24), CHANNELS, (1, 16, 24)):
        size = choose((choose.size(), choose.size(), (14, 15)))
        yield inverted_residual(
            draw,
            (choose((1, 2)), *size, cin),
            hidden,
            cout,
            kernel,
            choose((1, 1, 1, 2, 3)),
            bias=choose((True, False)),
            residual=choose((True, False)),
            expand_activation=choose.activation(exact),
            depthwise_activation=choose.activation(exact),
            activation=choose.activation(exact),
            **choose.window(size, kernel),
        )


def conv2d_channels(draw: Draw, kernel, exact=True) -> Iterator[Call]:
    choose = Chooser(kernel)
    shapes = [(cin, cout, 1) for cin, cout in product((1, 3, 8, 17, 33), (1, 7, 16, 32, 65))]
    shapes += [(6, 8, 2), (34, 32, 2), (9, 51, 3), (16, 16, 16), (8, 24, 8), (64, 36, 4)]
    shapes += [(128, 128, 32), (38, 38, 19), (32, 48, 8)]
    for cin, cout, groups in shapes:
        size = choose((choose.size(), choose.size(), (14, 15)))
        yield conv2d(
            draw,
            (choose((1, 2)), *size, cin),
            cout,
            kernel,
            groups,
            bias=choose((True, False)),
            residual=choose((True, False)),
            activation=choose.activation(exact),
            **choose.window(size, kernel),
        )


def small(draw: Draw, exact=True, seed: int = 0) -> Iterator[Call]:
    """Walk through every family with every awkward number of channels, on few pixels."""
    choose = Chooser(seed)

    def epilogue(*stages):
        return {stage: choose.activation(exact) for stage in stages}

    for channels in (*CHANNELS, 3, 24, 40):
        for _ in range(2):
            size, kernel = choose.size(), choose(KERNELS)
            window = choose.window(size, kernel)
            shape = (choose((1, 2)), *size, channels)
            cout, hidden = choose((*CHANNELS, 24, 40)), choose((*CHANNELS, 24, 40))
            both = {"bias": choose((True, False)), "residual": choose((True, False))}
            last = epilogue("activation")
            two = epilogue("depthwise_activation", "activation")
            three = epilogue("expand_activation", "depthwise_activation", "activation")
            yield depthwise(draw, shape, kernel, choose((1, 2, 3)), both["bias"], **window, **last)
            yield depthwise(draw, shape, (3, 3), stride=choose((1, 2)), **last)
            yield pointwise(draw, shape, cout, **both, **last)
            yield separable(draw, shape, cout, kernel, choose((1, 2)), **both, **window, **two)
            yield separable(draw, shape, cout, (3, 3), stride=choose((1, 2)), **two)
            yield inverted_residual(draw, shape, hidden, cout, kernel, **both, **window, **three)
            yield inverted_residual(draw, shape, hidden, cout, stride=choose((1, 2)), **three)
            yield conv2d(draw, shape, cout, kernel, **both, **window, **last)
            yield conv2d(draw, shape, 2 * channels, (3, 3), channels, **last)


def blocks(draw: Draw, exact=True) -> Iterator[Call]:
    """Walk through layers of real networks: whole strips, blocks of K and N, rings, many rows."""

    def act(smooth):
        return "relu6" if exact else smooth

    yield depthwise(draw, (1, 56, 56, 40), (3, 3))
    yield depthwise(draw, (1, 14, 14, 512), (3, 3), activation="relu6")  # power-of-two stride
    yield depthwise(draw, (1, 28, 29, 256), (3, 3), stride=2)
    yield depthwise(draw, (1, 13, 15, 200), (5, 5), activation=act("hard_swish"))
    yield depthwise(draw, (1, 28, 28, 72), (5, 5), stride=2)
    yield depthwise(draw, (1, 15, 31, 96), (7, 7), activation=act("gelu"))
    yield depthwise(draw, (2, 19, 19, 100), (4, 4), multiplier=2)
    yield depthwise(draw, (1, 33, 31, 64), (3, 3), dilation=2, activation=act("silu"))
    for shape, kernel, dilation in (
        *(((1, 25, 23, 6), (3, 3), 12), ((2, 27, 26, 31), (2, 2), 5)),  # sub-grids of few outputs
        *(((1, 14, 15, 40), (5, 5), 9), ((1, 30, 30, 24), (1, 5), 4), ((1, 60, 61, 72), (3, 3), 6)),
    ):
        yield depthwise(draw, shape, kernel, dilation=dilation, activation=act("silu"))
    for shape, kernel, stride in (  # long lists of taps, some from copies of strips
        *(((1, 30, 9, 100), (9, 9), 2), ((1, 20, 21, 64), (9, 9), 3)),
        *(((1, 11, 12, 100), (5, 5), (2, 1)), ((1, 14, 14, 1024), (4, 4), 2)),
        *(((2, 13, 9, 512), (2, 3), 1), ((1, 13, 14, 512), (6, 8), 2)),
    ):
        yield depthwise(draw, shape, kernel, stride=stride, activation=act("hard_swish"))
    yield depthwise(draw, (1, 7, 7, 1024), (3, 3), activation="relu")
    yield depthwise(draw, (1, 70, 3, 17), (3, 3), stride=(2, 1))
    yield pointwise(draw, (1, 56, 56, 24), 144, activation="relu6")
    yield pointwise(draw, (1, 14, 14, 512), 88, residual=True)
    yield pointwise(draw, (1, 7, 7, 320), 200, activation=act("silu"))
    yield pointwise(draw, (1, 1, 1, 960), 1280, activation=act("hard_swish"))
    yield pointwise(draw, (1, 1, 2, 1500), 100)
    yield pointwise(draw, (1, 19, 19, 728), 72, activation=act("sigmoid"))
    yield separable(draw, (1, 56, 57, 32), 64, depthwise_activation="relu", activation="relu6")
    yield separable(draw, (1, 28, 28, 128), 72, stride=2, activation=act("silu"))
    yield separable(draw, (1, 14, 14, 512), 100, residual=True)
    yield separable(draw, (1, 7, 7, 640), 96, (5, 5), depthwise_activation=act("hard_swish"))
    yield separable(draw, (2, 30, 17, 48), 40, (5, 5), multiplier=2, padding="same_lower")
    yield separable(draw, (1, 29, 18, 20), 24, (4, 4), multiplier=3, stride=2, activation="relu")
    yield separable(draw, (1, 7, 19, 728), 24, residual=True)  # two or more rows fit a cache
    yield separable(draw, (1, 6, 210, 300), 8)  # parts of several rows do
    yield separable(draw, (1, 4, 75, 1100), 8, stride=1)  # parts of one row do
    ir = {"expand_activation": act("silu"), "depthwise_activation": "relu6"}
    yield inverted_residual(draw, (1, 56, 56, 16), 96, 24, stride=2, **ir)
    yield inverted_residual(draw, (1, 41, 40, 24), 144, 24, residual=True, **ir)
    yield inverted_residual(draw, (1, 14, 14, 64), 384, 64, residual=True, **ir)
    yield inverted_residual(draw, (1, 7, 7, 112), 672, 160, (5, 5), **ir)
    yield inverted_residual(draw, (1, 17, 18, 40), 120, 40, (5, 5), stride=2, **ir)
    yield inverted_residual(draw, (1, 43, 40, 24), 76, 24, (2, 3), 3, stride=2, **ir)
    yield conv2d(draw, (1, 64, 65, 3), 32, stride=2, activation=act("hard_swish"))
    yield conv2d(draw, (1, 28, 28, 32), 48, residual=True, activation="relu")
    yield conv2d(draw, (1, 20, 22, 64), 96, (5, 5), groups=2, stride=2)
