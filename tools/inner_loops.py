"""Lists the innermost loops of AArch64 kernels and how often they touch the stack with vectors.

    objdump -dC --no-show-raw-insn neon.o | python3 tools/inner_loops.py PATTERN

Only loops of six fused multiply-adds and more (or shuffles of pairs, of which transpositions are
made), of functions whose name PATTERN finds, and of those the ones that spill. Ends with an error
if one spills more than one vector for nine of these operations, or if PATTERN finds no such loop.
"""

import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
TARGET = re.compile(r"\b([0-9a-f]+) <")
WORK = ("fmla", "zip1", "zip2")
VECTOR_ON_STACK = re.compile(r"^[qd]\d+, .*\[(sp|x29)")
MOST_SPILLS = 1 / 9  # GCC 12, a border's tile of 5x5: 3 for 29


class Instruction(NamedTuple):
    address: int
    name: str
    arguments: str


def functions(lines: Iterator[str]) -> Iterator[tuple[str, list[Instruction]]]:
    name, body = "", []
    for line in lines:
        if found := FUNCTION.match(line):
            yield name, body
            name, body = found[1], []
        elif found := INSTRUCTION.match(line):
            body.append(Instruction(int(found[1], 16), found[2], found[3]))
    yield name, body


def innermost_loops(body: list[Instruction]) -> list[list[Instruction]]:
    at = {instruction.address: i for i, instruction in enumerate(body)}
    loops = set()
    for i, instruction in enumerate(body):
        if instruction.name.startswith(("b.", "cb", "tb")) or instruction.name == "b":
            target = TARGET.search(instruction.arguments)
            begin = at.get(int(target[1], 16), i + 1) if target else i + 1
            if begin <= i:
                loops.add((begin, i))
    inner = [a for a in loops if not any(a != b and a[0] <= b[0] and b[1] <= a[1] for b in loops)]
    return [body[begin : end + 1] for begin, end in sorted(inner)]


def main() -> int:
    pattern, count, worst = re.compile(sys.argv[1]), 0, 0.0
    for name, body in functions(iter(sys.stdin)):
        if not pattern.search(name):
            continue
        for loop in innermost_loops(body):
            work = sum(i.name in WORK for i in loop)
            if work < 6:
                continue
            count += 1
            spills = sum(bool(VECTOR_ON_STACK.match(i.arguments)) for i in loop)
            worst = max(worst, spills / work)
            if spills:
                print(f"{spills} for {work} operations, {len(loop)} instructions: {name}")
    print(f"{count} loops, at most {worst:.2f} vectors on the stack an operation")
    return 1 if count == 0 or worst > MOST_SPILLS else 0


if __name__ == "__main__":
    raise SystemExit(main())
