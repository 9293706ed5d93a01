"""Passes that would find nothing to do are left out, and nothing else."""

from __future__ import annotations

import copy
from importlib import import_module

import pytest
from graph_builder import Net, text
from test_passes_random import _random_net

import dwsep
from dwsep._load_graph import load_graph
from dwsep.graph import passes
from dwsep.graph.passes import optimize


class _All(passes.Passes):
    """Runs every pass whenever it is named."""

    def run(self, *names):
        changed = False
        for name in names:
            self._unchanged.clear()
            changed |= super().run(name)
        return changed

    def _has_work(self, name):
        return True


def _same_with_all(graph, monkeypatch):
    some = optimize(copy.deepcopy(graph))
    monkeypatch.setattr("dwsep.graph.passes.Passes", _All)
    return text(optimize(graph)) == text(some)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_left_out_would_change_nothing(seed, monkeypatch):
    assert _same_with_all(_random_net(seed), monkeypatch)


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "shufflenet_v2", "convnext_tiny"])
def test_networks_are_the_same_with_all_passes(name, monkeypatch):
    pytest.importorskip("onnx", reason="builds networks")
    graph = load_graph(getattr(dwsep.models, name)(resolution=32))
    assert _same_with_all(graph, monkeypatch)


_OPENING_NOTHING = {name for others in passes._OPENS_NOTHING.values() for name in others}


@pytest.mark.parametrize(
    "name", sorted({*passes._BEGINNINGS, *passes._OPENS_NOTHING} | _OPENING_NOTHING)
)
def test_every_pass_that_may_be_left_out_exists(name):
    module, function = name.split(".")
    assert callable(getattr(import_module(f"{passes.__name__}.{module}"), function))


def test_a_pass_runs_again_when_another_has_changed_the_graph(monkeypatch):
    calls = []
    changes = {"constants": [False, True, False], "layout": [True, False]}

    class Module:
        def __init__(self, name):
            self.name = name.rpartition(".")[2]

        def run(self, graph):
            calls.append(self.name)
            return changes[self.name].pop(0)

    monkeypatch.setattr(passes, "import_module", Module)
    net = Net()
    runs = passes.Passes(net.finish(net.act(net.input(2, 3), "relu")))
    assert not runs.run("constants.run", "constants.run")
    assert runs.run("layout.run", "constants.run")
    assert not runs.run("constants.run")
    runs.repeat(["layout.run", "constants.run"], 9)
    assert calls == ["constants", "layout", "constants", "constants", "layout"]


def test_a_pass_does_not_run_again_after_one_that_opens_nothing_for_it(monkeypatch):
    calls = []

    class Module:
        def __init__(self, name):
            self.name = name.rpartition(".")[2]

        def run(self, graph):
            calls.append(self.name)
            return self.name != "constants"

    monkeypatch.setattr(passes, "import_module", Module)
    net = Net()
    runs = passes.Passes(net.finish(net.act(net.input(2, 3), "relu")))
    monkeypatch.setattr(runs, "_has_work", lambda name: True)
    runs.run("constants.run", "depthwise.run", "constants.run")
    assert calls == ["constants", "depthwise"]
    runs.run("layout.run", "depthwise.run", "constants.run")
    assert calls[2:] == ["layout", "depthwise", "constants"]
