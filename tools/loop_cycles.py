"""Computes what inner loops of x86-64 kernels take by LLVM's model of a processor.

    objdump -dC --no-show-raw-insn unit.o | python3 tools/loop_cycles.py PATTERN CPU

LLVM_MCA=program takes another than llvm-mca, 16 or later. Of functions whose name PATTERN finds:
innermost loops that multiply. Prints instructions, vectors on the stack, multiply-adds, cycles,
multiply-adds a cycle, and their share of what the same products reach by themselves on that model;
of AVX2's int8 kernels vpmaddubsw alone, without the vpmaddwd and vpaddd that each of them needs.
Loads are priced as those of 256 bits: the models charge longer ones a vector port too, and let a
sum wait for the load of a product that reads memory. Ends with an error if a loop keeps vectors on
the stack, or none is found.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S.*?)\s*$")
PRODUCT = re.compile(r"^(?:\{vex\} )?(vpdpbusd|vfmadd\w+ps|vpmaddubsw)\s.*%([xyz])mm\d+$")
FOLDED = re.compile(r"^((?:\{vex\} )?vpdpbusd)\s+([^%]*\(.*\)),(%([yz])mm\d+),(\S+)$")
LOAD = re.compile(r"^(vmov(?:dqu64|ups)|vpbroadcastd|vbroadcastss)(\s.*\(.*\),)%z(mm\d+)$")
NUMBERS = {"x": 4, "y": 8, "z": 16}
ITERATIONS = 200


def functions(lines: Iterator[str]) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    name: str = ""
    body: list[tuple[int, str]] = []
    for line in lines:
        if found := FUNCTION.match(line):
            yield name, body
            name, body = found[1], []
        elif found := INSTRUCTION.match(line):
            body.append((int(found[1], 16), found[2]))
    yield name, body


def innermost_loops(body: list[tuple[int, str]]) -> list[list[str]]:
    at = {address: i for i, (address, _) in enumerate(body)}
    loops = set()
    for i, (_, text) in enumerate(body):
        target = re.match(r"j\w+\s+([0-9a-f]+) <", text)
        if target and at.get(int(target[1], 16), i + 1) <= i:
            loops.add((at[int(target[1], 16)], i))
    inner = [a for a in loops if not any(a != b and a[0] <= b[0] and b[1] <= a[1] for b in loops)]
    return [[text for _, text in body[begin : end + 1]] for begin, end in sorted(inner)]


def multiply_adds(loop: list[str]) -> int:
    found = [PRODUCT.match(text) for text in loop]
    return sum(NUMBERS[f[2]] * (1 if f[1].startswith("vf") else 4) for f in found if f)


def assembly(loop: list[str]) -> str:
    used = set(re.findall(r"mm(\d+)", " ".join(loop)))
    free = next(
        (n for n in range(32 if "zmm" in " ".join(loop) else 16) if str(n) not in used), None
    )
    lines = ["1:"]
    for text in loop:
        plain = re.sub(r"^(j\w+)\s.*", r"\1 1b", re.sub(r"\s+(#|<).*", "", text))
        plain = LOAD.sub(r"\1\2%y\3", plain).replace("vmovdqu64", "vmovups")
        folded = FOLDED.match(plain)
        if folded and free is not None:
            register = f"%{folded[4]}mm{free}"
            lines.append(f"vmovups {folded[2]},{register}")
            plain = f"{folded[1]} {register},{folded[3]},{folded[5]}"
        if not plain.startswith(("nop", "data16", "cs ")):
            lines.append(plain)
    return "\n".join(lines) + "\n"


def cycles(text: str, cpu: str) -> float:
    program = [
        os.environ.get("LLVM_MCA", "llvm-mca"),
        "-mtriple=x86_64",
        f"-mcpu={cpu}",
        f"-iterations={ITERATIONS}",
    ]
    try:
        done = subprocess.run(program, input=text, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SystemExit(
            f"{program[0]}: {error.strerror}; LLVM_MCA= names llvm-mca, 16 or later"
        ) from None
    found = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
    if done.returncode or not found:
        said = done.stderr.strip().splitlines() or [f"no cycles, exit status {done.returncode}"]
        raise SystemExit(f"{program[0]}: {said[0]}")
    return int(found[1]) / ITERATIONS


def main() -> int:
    if len(sys.argv) != 3:
        raise SystemExit("usage: objdump ... | loop_cycles.py PATTERN CPU")
    try:
        pattern, cpu = re.compile(sys.argv[1]), sys.argv[2]
    except re.error as error:
        raise SystemExit(f"PATTERN {sys.argv[1]!r}: {error}") from None
    peaks: dict[tuple[str, str], float] = {}
    all_spills: list[int] = []
    for name, body in functions(sys.stdin):
        for loop in innermost_loops(body) if pattern.search(name) else []:
            work = multiply_adds(loop)
            if work == 0 or any(re.match(r"ret|pop", text) for text in loop):
                continue
            found = next(f for f in map(PRODUCT.match, loop) if f)
            kind = (found[1], found[2])
            if kind not in peaks:
                vex = "{vex} " if kind[0] == "vpdpbusd" and kind[1] == "y" else ""
                chain = [
                    f"{vex}{kind[0]} %{kind[1]}mm15,%{kind[1]}mm14,%{kind[1]}mm{n}"
                    for n in range(12)
                ]
                peaks[kind] = multiply_adds(chain) / cycles("\n".join(chain), cpu)
            spills = sum("(%rsp" in text and "mm" in text for text in loop)
            took = cycles(assembly(loop), cpu)
            share = 100 * work / took / peaks[kind]
            all_spills.append(spills)
            work_a_cycle = f"{work} / {took:.1f} = {work / took:.1f}, {share:.0f} %"
            print(f"{len(loop)} instructions, {spills} on the stack, {work_a_cycle}: {name}")
    if not all_spills:
        raise SystemExit(f"no function whose name {sys.argv[1]!r} finds has a loop that multiplies")
    return 1 if any(all_spills) else 0


if __name__ == "__main__":
    raise SystemExit(main())
