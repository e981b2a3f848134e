#!/usr/bin/env bash
# How many scenarios of `scenarios.txt` are tested and how many are explained, by section.
set -euo pipefail
cd "$(dirname "$0")"

# The numbers that names of tests begin with, in capitals.
tested=$(find it -name '*.rs' -exec awk '
    FNR == 1 { test = 0 }
    /^[[:space:]]*#\[(tokio::)?test[](]/ { test = 1 }
    /^[[:space:]]*(async )?fn / {
        if (test && match($0, /fn [a-z][0-9][0-9]+_/))
            print toupper(substr($0, RSTART + 3, RLENGTH - 4))
        test = 0
    }' {} + | sort -u)

awk -v tested="$tested" '
    BEGIN {
        split(tested, ids, "\n")
        for (i in ids) has[ids[i]] = 1
        printf "%-40s %7s %10s %6s\n", "section", "tested", "explained", "total"
    }
    /^#/ || /^$/ { next }
    /^= / {
        line = substr($0, 3)
        if (match(line, /^[^:]*: /)) {
            section = substr(line, 1, RLENGTH - 2)
            order[++sections] = section
            line = substr(line, RLENGTH + 1)
        }
        count = split(line, words, " ")
        for (i = 1; i <= count; i++) {
            of[words[i]] = section
            total[section]++
            if (words[i] in has) with_test[section]++
        }
        next
    }
    { explained[of[$1]]++ }
    END {
        for (i = 1; i <= sections; i++) {
            s = order[i]
            printf "%-40s %7d %10d %6d\n", s, with_test[s], explained[s], total[s]
            a += with_test[s]; b += explained[s]; c += total[s]
        }
        printf "%-40s %7d %10d %6d\n", "all", a, b, c
        exit a + b != c
    }' scenarios.txt
