"""Writes seeds/*.csv. Seeded: the same bytes every time."""

import csv
import random
from datetime import date, datetime, timedelta
from pathlib import Path

R = random.Random(4711)
OUT = Path(__file__).resolve().parent.parent / "seeds"


def write(name, header, rows):
    with (OUT / f"{name}.csv").open("w", newline="", encoding="utf-8") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(header)
        w.writerows(rows)


FIRST = [
    "Amelia",
    "Brian",
    "Chidi",
    "Dolores",
    "Eoin",
    "Fatima",
    "Gareth",
    "Hannah",
    "Imran",
    "Jocelyn",
    "Kwame",
    "Leona",
    "Mateusz",
    "Niamh",
    "Oscar",
    "Priya",
    "Quentin",
    "Rosalind",
    "Samir",
    "Theresa",
    "Ulrich",
    "Vanessa",
    "Winston",
    "Xenia",
    "Yusuf",
    "Zelda",
    "Ada",
    "Boris",
    "Carmen",
    "Dmitri",
    "Esther",
    "Floyd",
    "Greta",
    "Hugo",
    "Irene",
    "Jasper",
]
LAST = [
    "Abbott",
    "Banerjee",
    "Calloway",
    "Delgado",
    "Eriksen",
    "Fairchild",
    "Gallagher",
    "Hargreaves",
    "Iqbal",
    "Jankowski",
    "Kowalczyk",
    "Lindqvist",
    "Mbeki",
    "Nakamura",
    "Okafor",
    "Pemberton",
    "Quigley",
    "Rasmussen",
    "Stavros",
    "Thornbury",
    "Underhill",
    "Vasquez",
    "Whitlock",
    "Yamada",
    "Zielinski",
    "Ashworth",
    "Blackwood",
    "Crawley",
    "Dunmore",
    "Ellery",
]
SITES = [
    ("Riverside", "North", "Dunmoor", "2009-03-02", 9),
    ("Oak Park", "North", "Dunmoor", "2014-06-16", 6),
    ("St. Brigid's", "East", "Port Ellis", "1998-01-05", 8),
    ("Harbour View", "East", "Port Ellis", "2017-09-11", 5),
    ("Millbrook", "South", "Ashcombe", "2011-05-09", 6),
    ("Queen's Lane", "South", "Ashcombe", "2020-02-03", 3),
    ("Hilltop", "West", "Carrow", "2006-10-02", 5),
    ("Greenfield", "West", "Carrow", "2019-04-15", 3),
    ("Station Road", "North", "Leighford", "2013-08-19", 4),
    ("The Maltings", "South", "Wexcombe", "2016-11-07", 3),
    ("Lakeside", "East", "Brae", "2021-07-05", 2),
    ("Northgate", "North", "Leighford", "2023-01-16", 2),
    ("Cedar House", "West", "Tolland", "2024-09-02", 1),
    ("Abbey", "South", "Wexcombe", "2025-10-06", 1),
]
write(
    "raw_sites",
    ["site_id", "site_name", "region", "city", "opened_on"],
    [(i + 1, *s[:4]) for i, s in enumerate(SITES)],
)
SPEC = [
    ("Cardiology", "Medicine", 8),
    ("Dermatology", "Outpatient", 9),
    ("Endocrinology", "Medicine", 4),
    ("Family Medicine", "Primary Care", 22),
    ("Gastroenterology", "Medicine", 5),
    ("Gynaecology", "Women & Children", 7),
    ("Neurology", "Medicine", 4),
    ("Obstetrics", "Women & Children", 5),
    ("Oncology", "Medicine", 3),
    ("Ophthalmology", "Outpatient", 6),
    ("Orthopaedics", "Surgery", 8),
    ("ENT", "Surgery", 5),
    ("Paediatrics", "Women & Children", 11),
    ("Psychiatry", "Mental Health", 5),
    ("Psychology", "Mental Health", 6),
    ("Rheumatology", "Medicine", 3),
    ("Urology", "Surgery", 4),
    ("Physiotherapy", "Outpatient", 8),
]
doctors, names = [], set()
for i in range(1, 169):
    while True:
        n = f"Dr {R.choice(FIRST)} {R.choice(LAST)}"
        if n not in names:
            names.add(n)
            break
    s = R.choices(SPEC, [x[2] for x in SPEC])[0]
    doctors.append(
        [
            i,
            n,
            s[0],
            s[1],
            R.choices(["Consultant", "Registrar", "Senior Registrar", "Locum"], [5, 3, 2, 1])[0],
            R.choices(range(1, 15), [x[4] for x in SITES])[0],
            date(2008, 1, 7) + timedelta(days=R.randrange(6700)),
            R.choices(["active", "on_leave", "left"], [86, 6, 8])[0],
        ]
    )
write(
    "raw_doctors",
    ["doctor_id", "full_name", "specialty", "department", "grade", "home_site_id", "hired_on", "status"],
    doctors,
)
PAYERS = [
    "Northstar Health",
    "BlueHaven",
    "Medivant",
    "CareFirst Mutual",
    "Union Aid",
    "State Scheme",
    "Self-pay",
]
KINDS = ["80% Coinsurance", "100% Cover", "High Deductible", "Basic", "Student", "Senior Plus"]
plans, pid = [], 0
for p in PAYERS[:-1]:
    for k in KINDS:
        pid += 1
        plans.append((pid, f"{p} {k}", p, k))
pid += 1
plans.append((pid, "Self-pay", "Self-pay", "None"))
write("raw_plans", ["plan_id", "plan_name", "payer", "cover_type"], plans)
PW = [
    {
        "Northstar Health": 6,
        "BlueHaven": 5,
        "Medivant": 3,
        "CareFirst Mutual": 2.5,
        "Union Aid": 1.5,
        "State Scheme": 4,
        "Self-pay": 8,
    }[p[2]]
    * {
        "80% Coinsurance": 3,
        "100% Cover": 1.5,
        "High Deductible": 2,
        "Basic": 2.6,
        "Student": 0.7,
        "Senior Plus": 1.2,
        "None": 1,
    }[p[3]]
    for p in plans
]
CITIES = [
    "Dunmoor",
    "Port Ellis",
    "Ashcombe",
    "Carrow",
    "Leighford",
    "Wexcombe",
    "Brae",
    "Tolland",
    "Holt",
    "Little Marsh",
]
CW = [20, 17, 14, 12, 9, 8, 6, 4, 2, 1]
refs = []
for i in range(1, 61):
    refs.append(
        (
            i,
            f"{R.choice(LAST)} Family Practice",
            R.choice(CITIES),
            R.choice(["GP", "Specialist", "School", "Employer"]),
        )
    )
refs += [
    (7, "Pemberton Medical", "Holt", "GP"),
    (19, "Whitlock & Sons Practice", "Brae", "Specialist"),
    (33, "Eriksen Family Practice", "Carrow", "GP"),
]
write("raw_referrers", ["referrer_id", "referrer_name", "city", "kind"], refs)
patients = []
for i in range(1, 3201):
    by = R.choices(
        [
            R.randrange(2009, 2026),
            R.randrange(1992, 2009),
            R.randrange(1977, 1992),
            R.randrange(1962, 1977),
            R.randrange(1931, 1962),
        ],
        [17, 22, 21, 20, 20],
    )[0]
    reg = date(2019, 1, 7) + timedelta(days=int(2875 * R.random() ** 0.7))
    patients.append(
        [
            i,
            R.choices(["female", "male", "other", ""], [53, 44, 2, 1])[0],
            by,
            R.choices(CITIES, CW)[0],
            R.choices(plans, PW)[0][0],
            R.choices(["English", "Polish", "Urdu", "Spanish", "Welsh", ""], [70, 9, 7, 6, 4, 4])[0],
            "" if R.random() < 0.03 else reg,
            R.randrange(1, 61) if R.random() < 0.45 else "",
        ]
    )
write(
    "raw_patients",
    ["patient_id", "gender", "birth_year", "city", "plan_id", "language", "registered_on", "referrer_id"],
    patients,
)
COND = [
    "migraine",
    "asthma",
    "eczema",
    "low back pain",
    "hypertension",
    "type 2 diabetes",
    "otitis media",
    "sinusitis",
    "gastritis",
    "anxiety",
    "depression",
    "insomnia",
    "knee pain",
    "shoulder impingement",
    "psoriasis",
    "acne",
    "conjunctivitis",
    "cataract",
    "hypothyroidism",
    "anaemia",
    "bronchitis",
    "pneumonia",
    "tonsillitis",
    "urinary infection",
    "kidney stones",
    "gout",
    "osteoarthritis",
    "sciatica",
    "vertigo",
    "tinnitus",
    "palpitations",
    "atrial fibrillation",
    "chest pain",
    "heart failure",
    "epilepsy",
    "neuropathy",
    "reflux",
    "irritable bowel",
    "constipation",
    "haemorrhoids",
    "rash",
    "contact dermatitis",
    "allergic rhinitis",
    "sprained ankle",
    "wrist fracture",
    "tennis elbow",
    "fatigue",
    "obesity",
    "menopause symptoms",
    "pregnancy check",
]
MOD = ["", "Acute ", "Chronic ", "Recurrent ", "Suspected ", "Follow-up: "]
reasons = []
for i, c in enumerate(COND):
    for j, m in enumerate(MOD):
        if j in (0, 1, 2) or R.random() < 0.75:
            reasons.append(
                (
                    f"{chr(65 + i % 20)}{10 + i}.{j}",
                    (m + c)[0].upper() + (m + c)[1:],
                    ["Respiratory", "Skin", "Musculoskeletal", "Heart", "Mind", "Digestive", "General"][
                        i % 7
                    ],
                )
            )
write("raw_reasons", ["reason_code", "reason", "body_system"], reasons)
RW = [1 / (k + 4) ** 0.8 for k in range(len(reasons))]
R.shuffle(RW)
rows, claims, cid = [], [], 0
PROC = [
    (f"CPT-{99200 + i * 7 if i < 60 else 10000 + i * 131}", f"{a} {b}")
    for i, (a, b) in enumerate(
        [
            (a, b)
            for a in [
                "Office visit",
                "Ultrasound",
                "X-ray",
                "Blood panel",
                "Biopsy",
                "Injection",
                "Excision",
                "Endoscopy",
                "ECG",
                "Therapy session",
                "Vaccination",
                "MRI",
                "CT scan",
                "Hearing test",
                "Eye exam",
            ]
            for b in [
                "level 1",
                "level 2",
                "level 3",
                "level 4",
                "level 5",
                "bilateral",
                "with contrast",
                "guided",
                "extended",
                "repeat",
                "urgent",
                "child",
                "elderly",
                "remote",
            ]
        ]
    )
]
PRW = [1 / (k + 3) ** 0.75 for k in range(len(PROC))]
R.shuffle(PRW)
price = {p[0]: R.choice([45, 60, 75, 95, 120, 180, 240, 320, 480, 760]) for p in PROC}
write("raw_procedures", ["procedure_code", "procedure_name"], PROC)
bysite = {}
for d in doctors:
    bysite.setdefault(d[5], []).append(d)
pop = [R.random() ** 2 + 0.05 for _ in patients]
dpop = {d[0]: R.random() + 0.2 for d in doctors}
start, end = date(2025, 1, 6), date(2026, 11, 20)
n = (end - start).days + 1
DENY = [
    "Not covered",
    "Missing authorisation",
    "Duplicate claim",
    "Coding error",
    "Late filing",
    "Out of network",
    "Eligibility lapsed",
    "Records requested",
]
for i in range(1, 12401):
    while True:
        d = start + timedelta(days=int(n * R.random() ** 0.88))
        if d.weekday() == 6 or R.random() < (
            0.55 if d.weekday() == 5 else [0, 0.08, 0.12, 0.2, 0.0][d.weekday()] if d.weekday() < 5 else 0
        ):
            continue
        if (d.month == 8 and R.random() < 0.3) or (d.month == 12 and d.day > 22 and R.random() < 0.8):
            continue
        break
    hour = R.choices(range(8, 19), [5, 9, 11, 10, 7, 4, 7, 9, 8, 5, 3])[0]
    t = datetime(d.year, d.month, d.day, hour, R.choice([0, 10, 15, 20, 30, 40, 45]))
    doc = R.choices(doctors, [dpop[x[0]] for x in doctors])[0]
    site = doc[5] if R.random() < 0.88 else R.choices(range(1, 15), [x[4] for x in SITES])[0]
    if site == 14 and d < date(2025, 10, 6):
        site = 10
    p = R.choices(patients, pop)[0]
    ch = R.choices(["online", "phone", "walk-in", "referral"], [46, 31, 9, 14])[0]
    vt = R.choices(["in_person", "telehealth", "home_visit"], [76, 20, 4])[0]
    ns = {"online": 0.10, "phone": 0.075, "walk-in": 0, "referral": 0.05}[ch] + (
        0.03 if doc[2] in ("Psychiatry", "Psychology") else 0
    )
    st = R.choices(
        ["completed", "no_show", "cancelled", "left_unseen"],
        [0.82, ns, 0.085, 0.012 if vt == "in_person" else 0],
    )[0]
    booked = (
        ""
        if ch == "walk-in"
        else (t - timedelta(hours=int(24 * R.expovariate(1 / 11)) + 2)).replace(minute=R.randrange(60))
    )
    wait = max(0, int(R.gammavariate(2, 7 + hour * 0.3 + (4 if site in (1, 3) else 0))))
    dur = max(
        5,
        int(
            R.gauss(
                {"Psychiatry": 46, "Psychology": 50, "Physiotherapy": 38, "Family Medicine": 14}.get(
                    doc[2], 22
                ),
                6,
            )
        ),
    )
    ci = "" if st in ("no_show", "cancelled") or R.random() < 0.02 else t - timedelta(minutes=5)
    ss = "" if st != "completed" or ci == "" else t - timedelta(minutes=5) + timedelta(minutes=wait)
    fee = (
        60
        + {"Consultant": 55, "Senior Registrar": 30, "Registrar": 15, "Locum": 10}[doc[4]]
        + R.randrange(0, 40)
        - (15 if vt == "telehealth" else 0)
        + (35 if vt == "home_visit" else 0)
    ) + R.choice([0, 0.5, 0.25, 0.75])
    test = 1 if R.random() < 0.006 else 0
    rows.append(
        (
            i,
            p[0],
            doc[0],
            site,
            booked,
            t,
            ci,
            ss,
            dur if ss != "" else "",
            st,
            vt,
            ch,
            R.choices(reasons, RW)[0][0],
            f"{fee:.2f}",
            test,
        )
    )
    if st == "completed" and p[4] != pid and R.random() < 0.93:
        for _ in range(R.choices([1, 2, 3], [78, 17, 5])[0]):
            cid += 1
            pr = R.choices(PROC, PRW)[0][0]
            billed = price[pr] * (1 + R.random() * 0.4)
            sub = d + timedelta(days=R.randrange(0, 9))
            age = (end - sub).days
            s = (
                "pending"
                if age < R.randrange(5, 30)
                else R.choices(["paid", "denied", "appealed"], [84, 13, 3])[0]
            )
            pl = plans[p[4] - 1]
            if s == "paid" and pl[2] == "Union Aid" and R.random() < 0.1:
                s = "denied"
            allowed = billed * (0.62 + R.random() * 0.3) if s == "paid" else 0
            share = {
                "80% Coinsurance": 0.8,
                "100% Cover": 1,
                "High Deductible": 0.55,
                "Basic": 0.7,
                "Student": 0.75,
                "Senior Plus": 0.9,
            }[pl[3]]
            paid = allowed * share
            dec = "" if s == "pending" else min(sub + timedelta(days=R.randrange(4, 30)), end)
            pay = min(dec + timedelta(days=R.randrange(1, 21)), end) if s == "paid" else ""
            if sub > end:
                s, dec, pay, allowed, paid, sub = "pending", "", "", 0, 0, end
            claims.append(
                (
                    f"CL{cid:06d}",
                    i,
                    p[0],
                    p[4],
                    pr,
                    "" if R.random() < 0.015 and s == "pending" else sub,
                    dec,
                    pay,
                    s,
                    R.choices(DENY, [9, 7, 3, 5, 2, 4, 2, 1])[0] if s == "denied" else "",
                    f"{billed:.2f}",
                    f"{allowed:.2f}",
                    f"{paid:.2f}",
                )
            )
write(
    "raw_appointments",
    [
        "appointment_id",
        "patient_id",
        "doctor_id",
        "site_id",
        "booked_at",
        "scheduled_at",
        "checked_in_at",
        "seen_at",
        "duration_minutes",
        "status",
        "visit_type",
        "channel",
        "reason_code",
        "fee",
        "is_test",
    ],
    rows,
)
write(
    "raw_claims",
    [
        "claim_id",
        "appointment_id",
        "patient_id",
        "plan_id",
        "procedure_code",
        "submitted_on",
        "decided_on",
        "paid_on",
        "status",
        "denial_reason",
        "billed",
        "allowed",
        "paid",
    ],
    claims,
)
print(len(rows), len(claims), len(reasons), len(PROC))
