"""Too little memory, too many threads, CPUs that come and go."""

import os
import sys

import pytest
import scripts

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits as Linux has them")

# Runs `work` with every amount of address space, from none beyond what is mapped to enough.
# Each failure is a MemoryError, and the next call works. Threads are refused too: they need stacks.
SCARCE = """
import resource, gc
def mapped():
    return int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
def scarcely(work, step, most):
    failed = 0
    for extra in range(0, most, step):
        _core.clear_recycled()
        gc.collect()
        resource.setrlimit(resource.RLIMIT_AS, (mapped() + extra, resource.RLIM_INFINITY))
        try:
            result = work()
        except MemoryError:
            failed += 1
            result = None
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
        assert same(layer(x), wanted_layer)
        assert same(model(images), wanted_model)
        if result is not None:
            return result, failed
    raise AssertionError("never enough")
wanted_layer, wanted_model = layer(x, num_threads=1), model(images, num_threads=1)
"""


@linux
def test_layers_without_memory():
    scripts.run(
        SCARCE
        + """
rng = np.random.default_rng(0)
def weights(*shape):
    return rng.standard_normal(shape, np.float32)
arrays = weights(64, 128), weights(3, 3, 128, 1), weights(128, 64)
block = dwsep.InvertedResidual(*arrays)
large = rng.standard_normal((4, 96, 96, 64), np.float32)
wanted = block(large, num_threads=1)
flipped = large[..., ::-1]  # needs a copy as well
wanted_flipped = block(flipped.copy(), num_threads=1)
for threads in (1, 3):
    got, failed = scarcely(lambda: block(large, num_threads=threads), 2**20, 2**27)
    assert failed > 2 and np.array_equal(got, wanted), failed
    got, failed = scarcely(lambda: block(flipped, num_threads=threads), 2**20, 2**27)
    assert failed > 2 and np.array_equal(got, wanted_flipped), failed
square = np.ones((1500, 1500), np.float32)
made, failed = scarcely(lambda: dwsep.PointwiseConv2D(square), 2**20, 2**27)
assert failed > 2
del made
gc.collect()
before = mapped()
for _ in range(20):
    scarcely(lambda: block(flipped, num_threads=2), 2**22, 2**27)
_core.clear_recycled()
gc.collect()
assert mapped() < before + 2**24, (before, mapped())
"""
    )


@linux
def test_models_without_memory(tmp_path):
    scripts.run(
        SCARCE
        + """
path = sys.argv[1] + "/large.dwsep"
b = small_networks.Builder()
value = b.core.input("x", (-1, 16, 16, 512))
for _ in range(6):
    value = b.step("pointwise", [value], {}, weight=b.weight(512, 512))
large = dwsep.Model(b.finish(y=value))
large.save(path)
pictures = np.random.default_rng(0).standard_normal((24, 16, 16, 512), np.float32)
wanted = large(pictures, num_threads=1)
for threads in (1, 3):
    fresh = dwsep.load(path)
    got, failed = scarcely(lambda: fresh(pictures, num_threads=threads), 2**21, 2**28)
    assert failed > 5 and np.array_equal(got, wanted), failed
content = open(path, "rb").read()
for source in (path, content):
    loaded, failed = scarcely(lambda: dwsep.load(source), 2**19, 2**27)
    assert failed > 2 and np.array_equal(loaded(pictures), wanted), failed
del loaded, fresh
gc.collect()
before = mapped()
for _ in range(10):
    scarcely(lambda: dwsep.load(path)(pictures), 2**23, 2**28)
_core.clear_recycled()
gc.collect()
assert mapped() < before + 2**24, (before, mapped())
""",
        str(tmp_path),
    )


@linux
def test_threads_that_cannot_start():
    """No address space for their stacks: the caller works alone, and later with a team again."""
    scripts.run(
        SCARCE
        + """
def threads():
    return len(os.listdir("/proc/self/task"))
out = np.empty_like(x)
layer(x, out=out, num_threads=1)
model(images, num_threads=1)
before = threads()
resource.setrlimit(resource.RLIMIT_AS, (mapped() + 2**18, resource.RLIM_INFINITY))
for _ in range(3):
    out.fill(0)
    layer(x, out=out, num_threads=8)
    assert np.array_equal(out, wanted_layer[:]), "layer"
    assert same(model(images, num_threads=1), wanted_model), "model"
assert threads() == before
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
time.sleep(1.1)  # it is tried again after a second
layer(x, out=out, num_threads=8)
assert np.array_equal(out, wanted_layer)
assert threads() == before + 7, threads()
"""
    )


def test_a_thousand_threads_at_once():
    scripts.run(
        """
        threading.stack_size(2**18)
        rng = np.random.default_rng(0)
        inputs = [rng.standard_normal((1 + n % 3, 8, 8, 3), np.float32) for n in range(7)]
        alone = [model(pictures, num_threads=1) for pictures in inputs]
        wanted = layer(x, num_threads=1)
        gate, good = threading.Barrier(1000), []
        def call(n):
            gate.wait()
            right = True
            for k in range(3):
                right &= np.array_equal(layer(x, num_threads=1 + n % 4), wanted)
                right &= same(model(inputs[(n + k) % 7], num_threads=1 + n % 3), alone[(n + k) % 7])
            good.append(right)
        threads = [threading.Thread(target=call, args=(n,)) for n in range(1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(good) == 1000 and all(good)
        """
    )


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this platform")
def test_affinity_changed_between_calls():
    """The number of threads follows within a second or so; no CPU is insisted on."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two CPUs")
    scripts.run(
        """
        dwsep.set_num_threads(None)
        os.environ.pop("DWSEP_NUM_THREADS", None)
        every = os.sched_getaffinity(0)
        wanted, probabilities = layer(x, num_threads=1), model(images, num_threads=1)
        def right():
            return all(
                np.array_equal(layer(x, num_threads=n), wanted)
                and same(model(images, num_threads=n), probabilities)
                for n in (None, 1, 2, 3)
            )
        assert right()
        most = dwsep.get_num_threads()
        for cpu in sorted(every)[:2]:
            os.sched_setaffinity(0, {cpu})
            assert right()
        time.sleep(1.1)
        assert dwsep.get_num_threads() == 1 == layer.explain((1, 99, 99, 16)).threads
        assert right()
        os.sched_setaffinity(0, every)
        time.sleep(1.1)
        assert dwsep.get_num_threads() == most
        assert right()
        """
    )
