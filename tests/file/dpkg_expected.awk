# The answers of examples/dpkg, from the same lines, for dpkg_test.py to compare:
# view <tab> key <tab> values. Times are local in the log and UTC in the answer.

function utc(day, time, format,    d, t) {
    split(day, d, "-")
    split(time, t, ":")
    return strftime(format, mktime(d[1] " " d[2] " " d[3] " " t[1] " " t[2] " " t[3]), 1)
}

$3 != "status" {
    at = utc($1, $2, "%Y-%m-%dT%H:%M:%SZ")
    actions += 1
    if (first == "" || at < first) first = at
    if (at > last) last = at
}
$3 == "install" { installed[utc($1, $2, "%Y-%m-%dT%H:00:00Z")] += 1 }
$3 == "upgrade" {
    upgrades[$4] += 1
    if (at > upgraded[$4]) upgraded[$4] = at
}

END {
    for (hour in installed) print "installed_per_hour\t" hour "\t" installed[hour]
    for (package in upgrades)
        print "upgrades\t" package "\t" upgrades[package] "\t" upgraded[package]
    if (actions > 0) print "first_and_last_action\t" first "\t" last "\t" actions
}
