"""The tool that counts cycles of inner loops says in one line what it lacks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parent.parent / "tools" / "loop_cycles.py"
LOOP = """0000000000000000 <sums(int)>:
   0:\tvpmaddubsw %ymm1,%ymm2,%ymm3
   4:\tdec    %eax
   6:\tjne    0 <sums(int)>
"""


def cycles(*arguments, program, listing=LOOP):
    """Return the exit status, and what the tool prints of each kind."""
    done = subprocess.run(
        [sys.executable, str(TOOL), *arguments],
        env={**os.environ, "LLVM_MCA": str(program)},
        input=listing,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def model(tmp_path):
    """Stand in for llvm-mca, which few machines have: two cycles of 200 rounds, one processor."""
    program = tmp_path / "llvm-mca"
    program.write_text(
        f"""#!{sys.executable}
import sys
if "-mcpu=znver3" not in sys.argv:
    print("'cpu' is not a recognized processor\\nand more", file=sys.stderr)
    raise SystemExit(1)
print("Total Cycles:      400")
"""
    )
    program.chmod(0o755)
    return program


def test_a_loop(model):
    # A round is of one product of 32 in two cycles; by themselves twelve take as long.
    wanted = "3 instructions, 0 on the stack, 32 / 2.0 = 16.0, 8 %: sums(int)\n"
    assert cycles("sums", "znver3", program=model) == (0, wanted, "")


def test_errors_are_one_line(model):
    usage = "usage: objdump ... | loop_cycles.py PATTERN CPU\n"
    for arguments in ((), ("sums",), ("sums", "znver3", "more")):
        assert cycles(*arguments, program=model) == (1, "", usage)
    code, out, error = cycles("(", "znver3", program=model)
    assert (code, out, error.count("\n")) == (1, "", 1)
    assert error.startswith("PATTERN '(': ")
    missing = model.parent / "none"
    text = f"{missing}: No such file or directory; LLVM_MCA= names llvm-mca, 16 or later\n"
    assert cycles("sums", "znver3", program=missing) == (1, "", text)
    text = f"{model}: 'cpu' is not a recognized processor\n"
    assert cycles("sums", "cpu", program=model) == (1, "", text)
    text = "no function whose name 'other' finds has a loop that multiplies\n"
    assert cycles("other", "znver3", program=model) == (1, "", text)


def test_vectors_on_the_stack_are_an_error(model):
    spilled = LOOP.replace("dec    %eax", "vmovups %ymm3,0x20(%rsp)")
    code, out, _ = cycles("sums", "znver3", program=model, listing=spilled)
    assert code == 1
    assert "1 on the stack" in out
