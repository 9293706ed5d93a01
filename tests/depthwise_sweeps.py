"""The lists of depthwise calls that the tests walk through."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from calls import Call, Draw, depthwise, displaced
from choices import CHANNELS, DILATIONS, PADDINGS, SIZES, STRIDES, Chooser, fits


def channels(draw: Draw, kernel) -> Iterator[Call]:
    choose = Chooser(kernel)
    for channels, stride, multiplier in product(CHANNELS, STRIDES, (1, 2, 3)):
        size = choose.size()
        yield depthwise(
            draw,
            (choose((1, 2)), *size, channels),
            kernel,
            multiplier,
            bias=choose((True, False)),
            activation=choose.activation(),
            **choose.window(size, kernel, stride=stride),
        )


def sizes(draw: Draw, kernel) -> Iterator[Call]:
    choose = Chooser(kernel)
    for height, width, stride in product(SIZES, SIZES, (1, 2)):
        size = height, width
        options = choose.window(size, kernel, stride=stride)
        yield depthwise(draw, (1, *size, choose(CHANNELS)), kernel, **options)


def windows(draw: Draw, kernel) -> Iterator[Call]:
    choose = Chooser(kernel)
    for stride, padding, dilation in product(STRIDES, PADDINGS, DILATIONS):
        size = choose((choose.size(), (13, 17), (18, 11), (25, 23)))
        window = {"stride": stride, "padding": padding, "dilation": dilation}
        if fits(size, kernel, **window):
            yield depthwise(draw, (1, *size, choose(CHANNELS)), kernel, **window)


ODD_KERNELS = (
    *((1, 2), (2, 1), (1, 3), (3, 1), (9, 1), (1, 11), (1, 31), (31, 1), (22, 1)),
    *((2, 2), (4, 4), (6, 6), (5, 4), (9, 9), (3, 8), (12, 12), (17, 5), (31, 31)),
)


def odd(draw: Draw, count: int, seed: int = 0, exact: bool = True) -> Iterator[Call]:
    """Any filter on any image, rows of many pixels among them, with any multiplier."""
    choose = Chooser(f"odd {seed}")
    sides = ((1, 70), (2, 45), (3, 33), (40, 1), (37, 2), (13, 17), (9, 30), (24, 25), (7, 7))
    multiplied = ((1, 16), (1, 5), (2, 32), (3, 8), (6, 4), (13, 3), (20, 2), (5, 20))
    for _ in range(count):
        size = choose((*sides, choose.size()))
        kernel = choose(ODD_KERNELS)
        channels, multiplier = choose((*((c, 1) for c in (*CHANNELS, 24, 100)), *multiplied))
        stride, dilation = choose((1, 1, *STRIDES, (2, 3))), choose((1, 1, *DILATIONS, (2, 4)))
        padding = choose(("same", "same", *PADDINGS))
        if not fits(size, kernel, stride, padding, dilation):
            padding = "same"
        yield depthwise(
            draw,
            (choose((1, 1, 2)), *size, channels),
            kernel,
            multiplier,
            bias=choose((True, False)),
            activation=choose.activation(exact),
            stride=stride,
            padding=padding,
            dilation=dilation,
        )


def multiplied(draw: Draw, exact: bool = True) -> Iterator[Call]:
    """Channel multipliers: lists of taps, or copies of windows, of one vector or several.

    With AVX2 four channels or more go by lists where most outputs are inside, a filter has few taps
    for its strides, and it is not 3x3 of stride 1: of the larger images two in five. All others go
    by windows, as everything does on SSE: of the small images several vectors next to each other.
    """
    choose = Chooser("multiplied")
    small = ((1, 1), (2, 3), (3, 1), (5, 5), (6, 7), (9, 4), (8, 9))
    large = ((13, 14), (16, 27), (31, 11), (20, 23))
    few = ((1, 2), (2, 1), (2, 2), (1, 6), (3, 3), (3, 4), (4, 4))
    more = (*few, (5, 5), (7, 7), (6, 5), (1, 9), (9, 9))
    strides, dilations = (1, 2, 3, (1, 2), (3, 1), (2, 3)), (1, 1, 1, 2, 3, 4, (1, 3), (4, 2))
    for channels, multiplier in product((1, 3, 5, 27, 33, 100), range(2, 10)):
        for images, kernels in ((small, more), (large, few)):
            image, kernel = choose(images), choose(kernels)
            window = {"stride": choose(strides), "dilation": choose(dilations)}
            paddings = ("same", "valid" if images is large else (4, 3))
            paddings = [p for p in paddings if fits(image, kernel, padding=p, **window)]
            call = depthwise(
                draw,
                (choose((1, 1, 2)), *image, channels),
                kernel,
                multiplier,
                bias=choose((True, False)),
                activation=choose.activation(exact),
                padding=choose(paddings),
                **window,
            )
            yield call.with_arrays(x=displaced(call.arrays["x"], choose((0, 1, 4, 7))))
    # Windows of several vectors, all at an edge; the last of more vectors than are copied together.
    yield depthwise(draw, (1, 6, 7, 100), (4, 4), 4, stride=3)
    yield depthwise(draw, (2, 9, 9, 90), (5, 5), 6, stride=(2, 3), activation="relu6")
    yield depthwise(draw, (1, 5, 5, 654), (1, 6), 6, stride=2)
    # Lists: tiles of twelve, four and one output; more vectors than a strip has, long lists.
    yield depthwise(draw, (1, 37, 29, 32), (2, 1), 5, stride=3)
    yield depthwise(draw, (1, 41, 26, 27), (4, 4), 7, stride=3, activation="relu")
    yield depthwise(draw, (1, 14, 14, 64), (3, 3), 2, stride=2)
    yield depthwise(draw, (1, 31, 22, 60), (7, 7), 7, stride=3, padding="valid")
    yield depthwise(draw, (1, 39, 40, 4), (10, 10), 3, stride=3, padding="valid")
    yield depthwise(draw, (1, 31, 33, 11), (2, 3), 3, stride=(1, 3), dilation=4, padding="valid")
    yield depthwise(draw, (1, 3, 33, 20), (1, 9), 5)
    # Lists of vectors that read one channel each: pairs of vectors, an odd number of them, one
    # input channel with a last vector that is not whole, more vectors than a strip has.
    counts = ((9, 8), (5, 16), (3, 24), (20, 32), (1, 48), (1, 37), (7, 40))
    for (channels, multiplier), stride in product(counts, (1, 2, (1, 3))):
        image, kernel = choose((*small, (13, 14), (16, 27))), choose((*few, (5, 5), (6, 5)))
        activation, dilation = choose.activation(exact), choose((1, 1, 2))
        options = {"stride": stride, "dilation": dilation, "activation": activation}
        call = depthwise(draw, (1, *image, channels), kernel, multiplier, **options)
        yield call.with_arrays(x=displaced(call.arrays["x"], choose((0, 1, 4, 7))))
    yield from _adjacent(draw, exact)


def _adjacent(draw: Draw, exact: bool = True) -> Iterator[Call]:
    """Pixels of few channels side by side: all numbers of them, rows that leave some over.

    With AVX2 what lies inside wide images goes so at stride 1 along the row, with multipliers
    filters of up to nine taps.
    """
    choose = Chooser("adjacent")
    kernels = ((1, 2), (2, 1), (3, 1), (1, 5), (3, 3), (3, 3), (4, 4), (5, 5), (9, 9))
    counts = (*((c, 1) for c in range(1, 8)), *((1, m) for m in (2, 3, 4, 5, 12, 20)))
    for (channels, multiplier), kernel in product((*counts, (2, 3), (2, 5), (3, 2)), kernels):
        window = {"stride": choose((1, 1, (2, 1))), "dilation": choose((1, 1, 1, 2, (3, 4)))}
        image = (choose((1, 9, 17, 26)), choose(range(24, 51)))
        window["padding"] = choose(("same", "same", (4, 3), "valid"))
        if not fits(image, kernel, **window):
            window["padding"] = "same"
        shape, options = (choose((1, 2)), *image, channels), {"bias": choose((True, False))}
        options["activation"] = choose.activation(exact)
        call = depthwise(draw, shape, kernel, multiplier, **options, **window)
        yield call.with_arrays(x=displaced(call.arrays["x"], choose((0, 1, 4, 7))))


def designs(draw: Draw) -> Iterator[Call]:
    """Walk through what decides how a depthwise kernel goes: channels, pixel strides, places."""
    choose = Chooser("designs")
    channels = (12, 16, 24, 32, 40, 48, 52, 64, 100, 144, 256, 512, 1024)
    for size, stride, count in product((3, 5, 7), (1, 2), channels):
        for _ in range(2):
            most = 27 if count < 100 else 10
            image = (choose(range(1, most)), choose(range(1, most)))
            window = choose.window(image, (size, size), stride=stride, dilation=1)
            call = depthwise(
                draw,
                (choose((1, 2)), *image, count),
                (size, size),
                activation=choose.activation(),
                **window,
            )
            yield call.with_arrays(x=displaced(call.arrays["x"], choose((0, 1, 4, 8, 12))))
    # Tiles of any filter: all numbers of rows, fewer than the filter has among them.
    kernels = ((4, 4), (5, 3), (2, 5), (7, 1), (1, 7), (9, 8))
    for kernel, across, rows in product(kernels, (1, 2), range(1, 17)):
        image = (rows, choose(range(1, 22)))
        window = choose.window(image, kernel, stride=(1, across), dilation=1)
        yield depthwise(draw, (1, *image, choose((16, 24, 32, 52))), kernel, **window)
    # Lists of taps: numbers of rows, columns and vectors that are whole tiles or leave some over.
    windows = (((1, 3), (1, 2)), ((2, 2), 2), ((3, 3), (2, 1)), ((4, 4), (3, 2)), ((1, 3), 1))
    for (kernel, stride), rows, count in product(windows, range(1, 14, 3), (32, 40, 52, 64, 72)):
        image = (rows, choose(range(1, 30)))
        window = choose.window(image, kernel, stride=stride, dilation=1)
        yield depthwise(draw, (1, *image, count), kernel, **window)
    # Images that are large for copies of strips.
    yield depthwise(draw, (1, 34, 33, 1024), (8, 4), stride=2)
    yield depthwise(draw, (1, 35, 34, 1024), (3, 4), stride=(2, 1), activation="relu6")
    # Rings of copied rows, in wide images of some columns; the first of all rows.
    for size, stride in product((3, 5, 7), (1, 2)):
        yield depthwise(draw, (1, size - 1, 9, 1024), (size, size), stride=stride)
        yield depthwise(draw, (1, 11, 58, 1024), (size, size), stride=stride)
    # Strips of channels, of which the last is lower than a tile, or not.
    strips = (((9, 9), 1), ((6, 3), 1), ((4, 4), 1), ((3, 3), (1, 2)), ((3, 5), 1))
    for (kernel, stride), rows in product(strips, (13, 16, 22, 26, 28)):
        for columns in (13, 22, 28):
            yield depthwise(draw, (1, rows, columns, 256), kernel, stride=stride)
    # The same of blocks, which share inputs along columns or rows: pixels 4, 2 and 1 KB apart, the
    # last of images up to 1 MB. The last band has few rows.
    blocks = (
        *(((14, 14, 1024), (8, 4), 2), ((9, 28, 512), (1, 9), 1), ((14, 30, 512), (6, 6), 1)),
        *(((15, 40, 512), (6, 6), 1), ((28, 28, 256), (6, 6), 2), ((21, 33, 256), (6, 7), 1)),
        *(((34, 32, 256), (6, 6), 2), ((6, 6, 528), (7, 6), 2)),  # these in place
    )
    for shape, kernel, stride in blocks:
        activation = choose.activation()
        yield depthwise(draw, (1, *shape), kernel, stride=stride, activation=activation)
    # Beyond the level-2 cache of most.
    yield depthwise(draw, (1, 131, 141, 88), (5, 5), stride=2)
    yield depthwise(draw, (1, 58, 61, 256), (3, 3), stride=2)
