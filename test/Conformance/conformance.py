#!/usr/bin/env python3
"""Runs PyTorch's operator database, or its module database, through the compiler and compares with PyTorch.

Generates the cases (see generate.py and generate_modules.py), gives them to tl-conformance, which imports, compiles and
runs each of them, and prints a table by operator:

  passed   values, dtypes, shapes, structure and changed arguments are PyTorch's
  refused  the compiler said that it cannot compile the case, and why
  wrong    anything compiled that differs from PyTorch, or raised where PyTorch does not
  crashed  the compiler or the compiled code died, or took too long

With `--fallback` what the compiler refuses is called through LibTorch: every case should pass then.

With `--device=emulated` the cases are compiled for GPUs and run on the emulator; fewer cases then,
because that is slow. f64, i32, f16, bf16 and c64 have one sample of each operator, on the emulator
only the last three, of every ninth.

Exit status 1 if any case is wrong or crashed, or if an operator passes fewer cases than
expected.json (expected-emulated.json, expected-modules.json) records (`--update` records what passes now).
"""
import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
OUTCOMES = ("passed", "refused", "wrong", "crashed")
GENERATORS = {"operators": "generate.py", "modules": "generate_modules.py"}
DTYPES = {"cpu": "f32,i64,i1,f16:1,bf16:1,f64:1,i32:1,c64:1", "emulated": "f32,f16:1/9,bf16:1/9,c64:1/9"}


def run_shard_commands(commands):
    """Runs command lists side by side, the commands of a list in turn; exits on failure."""
    script = " && ".join
    processes = [subprocess.Popen(["bash", "-c", script(" ".join(map(quote, c)) for c in chain)])
                 for chain in commands]
    if any([p.wait() for p in processes]):
        sys.exit("conformance: a generator or runner failed")


def quote(word):
    import shlex
    return shlex.quote(str(word))


def read_lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def reason_class(outcome):
    """The reason of a refusal without what differs from case to case."""
    missing = outcome.get("missing")
    if missing:
        return "no rule: " + ", ".join(missing)
    return re.sub(r"\d+", "N", outcome.get("reason", ""))[:110]


def print_table(by_operator, skipped, file):
    width = max(len(name) for name in by_operator | skipped)
    print(f"{'operator':{width}}  " + "  ".join(f"{o:>7}" for o in OUTCOMES) + "  first reason", file=file)
    for name in sorted(by_operator | skipped):
        outcomes = by_operator.get(name)
        if outcomes is None:
            print(f"{name:{width}}  {'no case: ' + skipped[name]}", file=file)
            continue
        counts = collections.Counter(o["outcome"] for o in outcomes)
        worst = next((o for kind in ("crashed", "wrong", "refused") for o in outcomes
                      if o["outcome"] == kind), {})
        reason = worst.get("reason", "").splitlines()
        print(f"{name:{width}}  " + "  ".join(f"{counts[o]:7}" for o in OUTCOMES)
              + (f"  {reason[0][:120]}" if reason else ""), file=file)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runner", type=pathlib.Path, required=True, help="the tl-conformance program")
    parser.add_argument("--device", choices=["cpu", "emulated"], default="cpu")
    parser.add_argument("--database", choices=GENERATORS, default="operators",
                        help="PyTorch's operators, or its torch.nn modules, scripted and traced, in evaluation and "
                             "training mode")
    parser.add_argument("--samples", type=int,
                        help="samples per operator and dtype (3; on the emulator 1) or module and mode (2)")
    parser.add_argument("--full", action="store_true", help="all samples (an hour or so)")
    parser.add_argument("--only", default="", help="regular expression of operator names")
    parser.add_argument("--dtypes", help=f"as generate.py takes them; default: {DTYPES['cpu']}; on the emulator "
                                         f"{DTYPES['emulated']}")
    parser.add_argument("--dynamic", action="store_true", help="compile for unknown sizes")
    parser.add_argument("--fallback", action="store_true",
                        help="what is not compiled is called through LibTorch (docs/Fallback.md)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--cases", type=pathlib.Path, help="keep the cases here, and use those there")
    parser.add_argument("--report", type=pathlib.Path, help="write outcomes and reasons as JSON")
    parser.add_argument("--quiet", action="store_true", help="no table, only what is wrong and totals")
    parser.add_argument("--update", action="store_true", help="record what passes in expected.json")
    parser.add_argument("--expected", type=pathlib.Path, help="default: expected[-DEVICE].json")
    options = parser.parse_args()
    emulated = options.device == "emulated"
    modules = options.database == "modules"
    samples = 0 if options.full else options.samples or (1 if emulated else 2 if modules else 3)
    dtypes = options.dtypes or ("f32" if modules else DTYPES[options.device])
    expected = options.expected or HERE / ("expected-modules.json" if modules else
                                           "expected-emulated.json" if emulated else "expected.json")

    scratch = None
    cases = options.cases
    if cases is None:
        scratch = tempfile.mkdtemp(prefix="conformance")
        cases = pathlib.Path(scratch)
    try:
        shards = max(options.jobs, 1)
        chains, folders = [], [cases / f"shard{i}" for i in range(shards)]
        for i, folder in enumerate(folders):
            chain = []
            if not (folder / "manifest.jsonl").exists():
                chain.append([sys.executable, HERE / GENERATORS[options.database], "--output", folder, "--samples", samples,
                              "--dtypes", dtypes, "--shard", f"{i}/{shards}",
                              f"--only={options.only}"])
            chain.append([options.runner, folder, f"--output={folder / 'outcomes.jsonl'}",
                          *(["--dynamic"] if options.dynamic else []),
                          *(["--emulated"] if emulated else []),
                          *(["--fallback"] if options.fallback else []),
                          *([f"--only={options.only}"] if options.only else [])])
            chains.append(chain)
        run_shard_commands(chains)
        cases_by_number, outcomes, skipped = {}, [], {}
        for shard, folder in enumerate(folders):
            for line in read_lines(folder / "manifest.jsonl"):
                if "case" in line:
                    cases_by_number[shard, line["case"]] = line
                else:
                    skipped.setdefault(line["op"], line["skipped"])
            for outcome in read_lines(folder / "outcomes.jsonl"):
                case = cases_by_number[shard, outcome["case"]]
                outcomes.append({**outcome, **{k: case[k] for k in ("op", "variant", "dtype", "sample")},
                                 "model": str(folder / case["model"])})
    finally:
        if scratch:
            shutil.rmtree(scratch)

    by_operator = collections.defaultdict(list)
    for outcome in outcomes:
        by_operator[outcome["op"]].append(outcome)
    totals = collections.Counter(o["outcome"] for o in outcomes)
    if not options.quiet:
        print_table(by_operator, skipped, sys.stdout)
    for outcome in outcomes:
        if outcome["outcome"] in ("wrong", "crashed"):
            print(f"{outcome['outcome'].upper()}: {outcome['op']} {outcome['variant']} {outcome['dtype']} "
                  f"sample {outcome['sample']}: {outcome.get('reason', '')}")
    if options.report:
        reasons = collections.Counter(reason_class(o) for o in outcomes if o["outcome"] == "refused")
        options.report.write_text(json.dumps({"totals": totals, "reasons": dict(reasons.most_common()),
                                              "outcomes": outcomes}, indent=1))

    # The level that is held: cases passed per operator, for the default run.
    below = []
    passed = {name: sum(o["outcome"] == "passed" for o in outs) for name, outs in by_operator.items()}
    if options.update:
        recorded = {"samples": samples, "passed": {n: c for n, c in sorted(passed.items()) if c}}
        expected.write_text(json.dumps(recorded, indent=1) + "\n")
    elif expected.exists() and not options.only and not options.dynamic and not options.fallback:
        recorded = json.loads(expected.read_text())
        if recorded["samples"] == samples and not options.dtypes:
            below = [f"{name}: {passed.get(name, 0)} passed, {count} before"
                     for name, count in recorded["passed"].items() if passed.get(name, 0) < count]
    for line in below:
        print(f"BELOW THE RECORDED LEVEL: {line}")
    whole = sum(all(o["outcome"] == "passed" for o in outs) for outs in by_operator.values())
    some = sum(any(o["outcome"] == "passed" for o in outs) for outs in by_operator.values())
    print(f"conformance{' of modules' if modules else ''}{' on the emulator' if emulated else ''}: " + ", ".join(f"{totals[o]} {o}" for o in OUTCOMES)
          + f"; of {len(by_operator)} {options.database} {whole} pass whole, {some} in part or whole")
    return 1 if totals["wrong"] or totals["crashed"] or below else 0


if __name__ == "__main__":
    sys.exit(main())
