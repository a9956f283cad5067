#!/usr/bin/env python3
"""The fault campaign, short (tests/faults): bits are flipped in drivers and services while they work, and
they are killed. The nucleus lives, nobody else is harmed, and every request is answered. Wrong answers of
a damaged driver are possible in principle and are only reported.
"""
# linux: no, it damages its cells
# timeout: 900
import argparse
import sys

import console

sys.path[:0] = [console.os.path.join(console.TOP, "tests", "faults")]
import campaign  # noqa: E402

INJECTIONS, SEED = 75, 20


def main():
    failed = 0
    for smp in console.harts():
        options = campaign.parser().parse_args(["-n", str(INJECTIONS), "--seed", str(SEED + smp), "--smp", str(smp)])
        print(f"# seed {options.seed}: tests/faults/campaign.py -n {INJECTIONS} --seed {options.seed} --smp {smp}",
              flush=True)
        done, table = campaign.run(options)
        for line in table.splitlines() + done.events:
            print(f"# {line}")
        bad = done.bad()
        for what in ("nucleus failures", "other cells harmed", "other cells ended", "services lost", "requests lost"):
            found = [reason for reason in bad if reason.startswith(what)]
            print(f"{'not ok' if found else 'ok'} - {console.prefix(smp)}no {what}"
                  f"{' (' + found[0] + ')' if found else ''}")
            failed += bool(found)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
