import csv
import random
from datetime import date, datetime, timedelta
from pathlib import Path

R = random.Random(99)
OUT = Path(__file__).resolve().parent.parent / "seeds"


def write(name, header, rows):
    with (OUT / f"{name}.csv").open("w", newline="", encoding="utf-8") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(header)
        w.writerows(rows)


A = [
    "Apex",
    "Bolt",
    "Cedar",
    "Delta",
    "Ember",
    "Flux",
    "Grove",
    "Helix",
    "Iris",
    "Juno",
    "Kite",
    "Lumen",
    "Mango",
    "Nimbus",
    "Onyx",
    "Pixel",
    "Quill",
    "Raven",
    "Sable",
    "Tidal",
    "Umbra",
    "Vertex",
    "Willow",
    "Xeno",
    "Yarrow",
    "Zephyr",
]
B = [
    "Labs",
    "Works",
    "Soft",
    "Systems",
    "Bank",
    "Media",
    "Health",
    "Games",
    "Retail",
    "Freight",
    "Analytics",
    "Studio",
    "Cloud",
    "Foods",
    "Motors",
    "Energy",
    "Travel",
    "Legal",
    "Robotics",
    "Payments",
]
nm = [f"{a} {b}" for a in A for b in B]
R.shuffle(nm)
nm = nm[:480]
CT = ["US", "DE", "GB", "FR", "IN", "JP", "BR", "CA", "AU", "NL", "SE", "SG"]
CTW = [34, 11, 10, 7, 8, 6, 5, 6, 4, 3, 2, 3]
CSM = ["ana", "bo", "cy", "dee", "eli", "fay"]
acct = []
for i, n in enumerate(nm):
    seg = R.choices(["smb", "mm", "ent"], [60, 28, 12])[0]
    cr = datetime(2024, 9, 1) + timedelta(minutes=R.randrange(0, 60 * 24 * 805))
    acct.append(
        [
            i + 1,
            n,
            seg,
            R.choices(
                ["fintech", "edtech", "health", "retail", "gaming", "logistics"], [24, 14, 19, 21, 12, 10]
            )[0],
            R.choices(CT, CTW)[0],
            R.choices(["organic", "paid", "partner", "outbound"], [38, 27, 20, 15])[0],
            "" if seg == "smb" else R.choices(CSM, [6, 5, 4, 3, 2, 2])[0],
            cr,
        ]
    )
write("acct", ["acct_id", "nm", "seg", "ind", "ctry", "src", "csm", "cr_ts"], acct)
subs = []
mrr = []
sid = 0
months = [date(2025 + (m // 12), m % 12 + 1, 1) for m in range(0, 23)]
for a in acct:
    if R.random() < 0.12:
        continue
    st = (a[7] + timedelta(days=R.randrange(0, 21))).date()
    if st > date(2026, 11, 20):
        continue
    base = {"smb": 80, "mm": 420, "ent": 2100}[a[2]] * R.uniform(0.6, 1.9)
    pl = R.choices(
        ["starter", "pro", "biz"], {"smb": [65, 30, 5], "mm": [15, 60, 25], "ent": [2, 28, 70]}[a[2]]
    )[0]
    cur, cst = base, st
    life = R.expovariate(1 / {"smb": 560, "mm": 1000, "ent": 1800}[a[2]])
    end = st + timedelta(days=int(life) + 20)
    end = end if end <= date(2026, 11, 20) else None
    seats = max(1, int(base / 22))
    # plan changes
    changes = []
    d = st + timedelta(days=R.randrange(90, 300))
    while d < (end or date(2026, 11, 20)) and R.random() < 0.55:
        changes.append(d)
        d += timedelta(days=R.randrange(90, 300))
    segs = []
    x = st
    for c in changes:
        segs.append((x, c))
        x = c
    segs.append((x, end))
    val = cur
    hist = []
    for s0, s1 in segs:
        sid += 1
        subs.append(
            [sid, a[0], pl, R.choices(["monthly", "annual"], [64, 36])[0], s0, s1 or "", seats, f"{val:.2f}"]
        )
        hist.append((s0, s1, pl, val, seats))
        val *= R.choice([0.8, 1.12, 1.2, 1.35, 1.5])
        seats = max(1, int(val / 22))
        pl = R.choices([pl, "pro", "biz"], [6, 2, 2])[0]
    prev = 0
    for m in months:
        last = date(m.year + (m.month == 12), m.month % 12 + 1, 1) - timedelta(days=1)
        last = min(last, date(2026, 11, 20))
        act = [h for h in hist if h[0] <= last and (h[1] is None or h[1] > last)]
        v = act[-1][3] if act else 0
        if v or prev:
            nw = v if prev == 0 and hist[0][0] >= m else 0
            if prev == 0 and not nw:
                prev = v if m == months[0] else prev
            ex = max(0, v - prev) if prev and v else 0
            ct = max(0, prev - v) if prev and v else 0
            ch = prev if prev and not v else 0
            mrr.append(
                [
                    a[0],
                    m,
                    (act[-1] if act else hist[-1])[2],
                    f"{v:.2f}",
                    f"{nw:.2f}",
                    f"{ex:.2f}",
                    f"{ct:.2f}",
                    f"{ch:.2f}",
                ]
            )
        prev = v
write("sub", ["sub_id", "acct_id", "plan", "bill", "st_dt", "end_dt", "seats", "amt"], subs)
write("mrr_m", ["acct_id", "mth", "plan", "mrr", "mrr_new", "mrr_exp", "mrr_con", "mrr_churn"], mrr)
AG = [
    "tom",
    "ula",
    "vik",
    "wes",
    "xan",
    "yui",
    "zoe",
    "amy",
    "ben",
    "cal",
    "dot",
    "eve",
    "gus",
    "hal",
    "ivy",
    "jon",
    "kim",
    "leo",
    "mia",
    "ned",
]
TG = [
    f"{a}-{b}"
    for a in [
        "sso",
        "billing",
        "api",
        "export",
        "import",
        "webhook",
        "mobile",
        "dash",
        "alerts",
        "search",
        "perms",
        "sync",
    ]
    for b in [
        "login",
        "refund",
        "timeout",
        "limit",
        "error",
        "slow",
        "crash",
        "missing",
        "howto",
        "request",
        "dupe",
        "access",
        "format",
        "outage",
    ]
]
tw = [1 / (k + 4) ** 0.8 for k in range(len(TG))]
R.shuffle(tw)
wgt = [{"smb": 1, "mm": 2.2, "ent": 5}[a[2]] * (R.random() + 0.2) for a in acct]
tk = []
day0 = datetime(2025, 1, 1)
span = (datetime(2026, 11, 21, 10) - day0).total_seconds()
while len(tk) < 5600:
    t = day0 + timedelta(seconds=int(span * R.random() ** 0.85))
    if t.weekday() >= 5 and R.random() < 0.72:
        continue
    if (t.hour < 7 or t.hour > 20) and R.random() < 0.7:
        continue
    a = R.choices(acct, wgt)[0]
    if a[7] > t:
        continue
    pr = R.choices(["p1", "p2", "p3", "p4"], [5, 20, 50, 25])[0]
    ch = R.choices(["email", "chat", "phone", "api"], [44, 36, 13, 7])[0]
    fr = t + timedelta(
        minutes=R.expovariate(
            1 / ({"p1": 14, "p2": 45, "p3": 170, "p4": 420}[pr] * (0.35 if ch == "chat" else 1))
        )
        + 1
    )
    cl = fr + timedelta(hours=R.expovariate(1 / {"p1": 7, "p2": 19, "p3": 44, "p4": 80}[pr]) + 0.2)
    if fr > datetime(2026, 11, 21, 11):
        fr = None
    if fr is None or cl > datetime(2026, 11, 21, 11) or R.random() < 0.012:
        cl = None
    ag = R.choices(AG, [20 - i * 0.7 for i in range(20)])[0]
    cs = (
        ""
        if cl is None or R.random() < 0.56
        else R.choices([1, 2, 3, 4, 5], [5, 6, 12, 36, 41] if pr != "p1" else [14, 12, 18, 30, 26])[0]
    )
    tk.append([t, a[0], fr, cl, pr, ch, R.choices(TG, tw)[0], ag, cs, 1 if cl and R.random() < 0.08 else 0])
tk.sort(key=lambda x: (x[0], x[1]))
write(
    "tkt",
    ["tkt_id", "acct_id", "op_ts", "fr_ts", "cl_ts", "prio", "chan", "tag", "agt", "csat", "reop"],
    [
        [
            i + 1,
            x[1],
            x[0],
            x[2].replace(microsecond=0) if x[2] else "",
            x[3].replace(microsecond=0) if x[3] else "",
            *x[4:],
        ]
        for i, x in enumerate(tk)
    ],
)
nps = []
for i in range(1700):
    t = datetime(2025, 3, 1) + timedelta(
        seconds=int((datetime(2026, 11, 20, 20) - datetime(2025, 3, 1)).total_seconds() * R.random() ** 0.9)
    )
    a = R.choice(acct)
    nps.append(
        [
            t,
            a[0],
            R.choices(
                range(11),
                [2, 1, 2, 3, 3, 6, 8, 15, 22, 20, 18]
                if a[2] != "ent"
                else [1, 1, 1, 2, 2, 4, 6, 12, 22, 25, 24],
            )[0],
            R.choices(["app", "email"], [7, 3])[0],
        ]
    )
nps.sort(key=lambda x: (x[0], x[1]))
write(
    "nps",
    ["r_id", "acct_id", "ts", "score", "via"],
    [[i + 1, x[1], x[0], x[2], x[3]] for i, x in enumerate(nps)],
)
FT = [
    f"{a}.{b}"
    for a in [
        "auth",
        "export",
        "report",
        "alert",
        "sync",
        "search",
        "chart",
        "api",
        "webhook",
        "import",
        "team",
        "billing",
    ]
    for b in ["create", "list", "run", "delete", "update", "share"]
]
fw = [1 / (k + 3) ** 0.7 for k in range(len(FT))]
R.shuffle(fw)
er = {f: R.choice([0.004, 0.01, 0.015, 0.03, 0.06]) for f in FT}
ms = {f: R.uniform(40, 420) for f in FT}
use = []
h0 = datetime(2026, 9, 28)
H = (datetime(2026, 11, 21, 11) - h0).days * 24 + 11
hw = [
    (0.4 + 1.6 * max(0, 1 - abs((h % 24) - 14) / 11))
    * (0.55 if (h0 + timedelta(hours=h)).weekday() >= 5 else 1)
    * (1 + 0.35 * h / H)
    for h in range(H)
]
for h in sorted(R.choices(range(H), hw, k=17500)):
    t = h0 + timedelta(hours=h)
    f = R.choices(FT, fw)[0]
    e = int(R.lognormvariate(3.2, 0.9)) + 1
    bad = er[f] * (9 if t.date() == date(2026, 11, 12) and 13 <= t.hour <= 16 and f.startswith("sync") else 1)
    a = R.choices(acct, wgt)[0]
    use.append(
        [
            t,
            a[0],
            f,
            R.choices(["us-east", "eu-west", "ap-south"], [5, 3, 2])[0],
            e,
            sum(R.random() < bad for _ in range(e)),
            f"{ms[f] * R.lognormvariate(0, 0.35):.1f}",
        ]
    )
write("use_h", ["ts", "acct_id", "feat", "reg", "evts", "errs", "ms"], use)
print(len(acct), len(subs), len(mrr), len(tk), len(nps), len(use), len(TG), len(FT))
