#!/usr/bin/env python3
"""Write a web server's log to analyse (docs/migrating.md), always the same: mklog.py FILE [LINES]"""
import os
import random
import sys

WORDS = "index about shop item cart help news".split()


def main():
    path, lines = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    dice = random.Random(1)
    places = [f"/{'/'.join(dice.choice(WORDS) for _ in range(dice.randint(1, 3)))}/{n}" for n in range(300)]
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as f:
        for n in range(lines):
            place = places[min(int(dice.expovariate(0.03)), len(places) - 1)]
            status = dice.choice([200] * 12 + [301, 304, 304, 404, 500])
            time = f"01/Nov/2026:{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02} +0000"
            f.write(f'10.{n % 7}.{n % 251}.{n % 13} - - [{time}] "GET {place} HTTP/1.1" {status} '
                    f'{dice.randint(100, 90000)} "-" "browser/1.{n % 9}"\n')


if __name__ == "__main__":
    main()
