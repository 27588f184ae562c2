"""生成 data/*.csv；随机种子固定，每次结果相同。"""

import csv
import random
from datetime import date, datetime, timedelta
from pathlib import Path

R = random.Random(20261120)
OUT = Path(__file__).resolve().parent.parent / "data"


def write(name, header, rows):
    with (OUT / f"{name}.csv").open("w", newline="", encoding="utf-8") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(header)
        w.writerows(rows)


CITY = [
    ("上海", "上海", "华东", "SH", 16),
    ("杭州", "浙江", "华东", "HZ", 8),
    ("宁波", "浙江", "华东", "NB", 4),
    ("南京", "江苏", "华东", "NJ", 6),
    ("苏州", "江苏", "华东", "SZH", 7),
    ("合肥", "安徽", "华东", "HF", 3),
    ("青岛", "山东", "华东", "QD", 4),
    ("济南", "山东", "华东", "JN", 3),
    ("广州", "广东", "华南", "GZ", 11),
    ("深圳", "广东", "华南", "SZ", 13),
    ("东莞", "广东", "华南", "DG", 6),
    ("佛山", "广东", "华南", "FS", 4),
    ("厦门", "福建", "华南", "XM", 3),
    ("南宁", "广西", "华南", "NN", 2),
    ("海口", "海南", "华南", "HK", 1),
    ("北京", "北京", "华北", "BJ", 12),
    ("天津", "天津", "华北", "TJ", 5),
    ("石家庄", "河北", "华北", "SJZ", 3),
    ("太原", "山西", "华北", "TY", 2),
    ("武汉", "湖北", "华中", "WH", 7),
    ("长沙", "湖南", "华中", "CS", 5),
    ("郑州", "河南", "华中", "ZZ", 6),
    ("南昌", "江西", "华中", "NC", 2),
    ("成都", "四川", "西南", "CD", 8),
    ("重庆", "重庆", "西南", "CQ", 6),
    ("昆明", "云南", "西南", "KM", 2),
    ("贵阳", "贵州", "西南", "GY", 2),
    ("西安", "陕西", "西北", "XA", 4),
    ("兰州", "甘肃", "西北", "LZ", 1.2),
    ("乌鲁木齐", "新疆", "西北", "WLMQ", 0.9),
    ("沈阳", "辽宁", "东北", "SY", 3),
    ("大连", "辽宁", "东北", "DL", 2.5),
    ("哈尔滨", "黑龙江", "东北", "HRB", 1.8),
    ("长春", "吉林", "东北", "CC", 1.6),
]
write("city", ["city_id", "city_name", "province", "region"], [(i + 1, *c[:3]) for i, c in enumerate(CITY)])
PLACE = [
    "青浦",
    "临平",
    "北仑",
    "江宁",
    "昆山",
    "肥西",
    "黄岛",
    "历城",
    "白云",
    "宝安",
    "虎门",
    "南海",
    "集美",
    "江南",
    "美兰",
    "大兴",
    "武清",
    "藁城",
    "小店",
    "东西湖",
    "望城",
    "中牟",
    "新建",
    "双流",
    "江北",
    "官渡",
    "观山湖",
    "灞桥",
    "榆中",
    "米东",
    "浑南",
    "金普",
    "松北",
    "宽城",
]
whs, n, used = [], 0, {"SH-021"}


def code(prefix):
    while True:
        c = f"{prefix}-{R.randrange(1, 60):03d}"
        if c not in used:
            used.add(c)
            return c


for i, c in enumerate(CITY):
    for k in range(1 + (c[4] >= 4) + (c[4] >= 8) + (c[4] >= 11)):
        n += 1
        whs.append(
            (
                code(c[3]) if not (c[3] == "SH" and k == 0) else "SH-021",
                f"{c[0]}{PLACE[i]}{['', '二', '三', '保税'][k]}仓",
                i + 1,
                R.choices(["自营仓", "加盟仓", "云仓"], [5, 3, 2])[0],
                R.choice([3000, 5000, 8000, 12000, 20000, 36000]),
                date(2016, 3, 1) + timedelta(days=R.randrange(3300)),
                c[4] / (k + 1.3),
            )
        )
assert len({w[0] for w in whs}) == len(whs)
write("warehouse", ["wh_code", "wh_name", "city_id", "wh_type", "area_m2", "opened"], [w[:6] for w in whs])
CAR = [
    ("XD", "迅达速运", "公路", "A", 22, 0.97),
    ("AT", "安途物流", "公路", "A", 17, 0.93),
    ("YF", "云帆航空", "航空", "A", 9, 0.985),
    ("TL", "铁流联运", "铁路", "B", 8, 0.90),
    ("HB", "鸿标快运", "公路", "B", 12, 0.88),
    ("JS", "江顺水运", "水路", "C", 4, 0.80),
    ("QF", "群峰货运", "公路", "C", 6, 0.82),
    ("LY", "凌越航空", "航空", "B", 5, 0.95),
    ("CT", "畅通达", "公路", "B", 7, 0.91),
    ("ZY", "中远特运", "公路", "A", 3, 0.96),
    ("BS", "白石冷链", "公路", "A", 4, 0.94),
    ("KX", "快象同城", "公路", "B", 3, 0.92),
]
write("carrier", ["carrier_code", "carrier_name", "mode", "grade"], [c[:4] for c in CAR])
A = [
    "星辰",
    "海岚",
    "东禾",
    "嘉品",
    "远川",
    "明德",
    "瑞禾",
    "华锦",
    "百悦",
    "天枢",
    "金麦",
    "绿洲",
    "蓝鲸",
    "青木",
    "南山",
    "北极熊",
    "大地",
    "小鹿",
    "九州",
    "启明",
    "云溪",
    "丰泽",
    "安澜",
    "广宇",
    "宏图",
    "春晖",
    "秋实",
    "长风",
]
B = [
    "食品",
    "服饰",
    "电子",
    "医药",
    "家居",
    "汽配",
    "日化",
    "生鲜",
    "图书",
    "母婴",
    "运动",
    "五金",
    "乐器",
    "宠物",
    "酒业",
]
IND = {
    "食品": "快消",
    "服饰": "服装",
    "电子": "3C数码",
    "医药": "医药",
    "家居": "家居",
    "汽配": "汽配",
    "日化": "快消",
    "生鲜": "生鲜",
    "图书": "文体",
    "母婴": "快消",
    "运动": "服装",
    "五金": "家居",
    "乐器": "文体",
    "宠物": "快消",
    "酒业": "快消",
}
names = [a + b for a in A for b in B]
R.shuffle(names)
names = names[:360]
MGR = ["陈静", "李强", "王芳", "赵磊", "孙悦", "周涛", "吴敏", "郑凯"]
cust = []
for i, nme in enumerate(names):
    cust.append(
        (
            i + 1,
            nme,
            IND[nme[-2:]],
            R.choices(["战略", "重点", "普通"], [8, 25, 67])[0],
            R.choices(MGR, [5, 4, 4, 3, 3, 2, 2, 1])[0] if R.random() > 0.04 else "",
            date(2021, 1, 4) + timedelta(days=R.randrange(2100)),
        )
    )
write("customer", ["customer_id", "customer_name", "industry", "level", "manager", "signed_on"], cust)
cw = [{"战略": 9, "重点": 3, "普通": 1}[c[3]] * (R.random() + 0.2) for c in cust]
GOODS = [
    f"{a}{b}"
    for a in ["冷冻", "常温", "易碎", "贵重", "大件", "普通", "危化", "进口", "保税", "散装"]
    for b in [
        "水果",
        "海鲜",
        "乳品",
        "成衣",
        "鞋帽",
        "手机",
        "电脑配件",
        "药品",
        "器械",
        "沙发",
        "床垫",
        "轮胎",
        "滤芯",
        "洗护",
        "纸品",
        "零食",
        "饮料",
        "图书",
        "玩具",
        "球拍",
        "白酒",
        "红酒",
        "猫粮",
        "工具",
    ]
]
gw = [1 / (k + 3) ** 0.7 for k in range(len(GOODS))]
R.shuffle(gw)
start, end = date(2025, 2, 1), date(2026, 11, 20)
days = (end - start).days + 1
alldays = [start + timedelta(days=i) for i in range(days)]


def w(d):
    x = 1 + 0.55 * ((d - start).days / days)
    if d.weekday() == 6:
        x *= 0.62
    if d.weekday() == 5:
        x *= 0.85
    if (d.month, d.day) in [(11, 11), (11, 12), (11, 13), (6, 18), (6, 19)]:
        x *= 2.6
    if d.year == 2026 and date(2026, 2, 14) <= d <= date(2026, 2, 23):
        x *= 0.18
    if d.month == 10 and d.day <= 7:
        x *= 0.55
    if d.month in (6, 11, 12):
        x *= 1.15
    return x


ww = [w(d) for d in alldays]
quotes = []
qd = R.choices(alldays, [w(d) for d in alldays], k=4800)
qd.sort()
for i, d in enumerate(qd):
    quotes.append(
        [
            f"Q{i + 1:05d}",
            R.choices(cust, cw)[0][0],
            datetime(d.year, d.month, d.day, R.randrange(8, 20), R.randrange(60)),
            R.choices(["小程序", "电话", "销售", "网站"], [38, 27, 20, 15])[0],
        ]
    )
conv = {"小程序": 0.31, "电话": 0.37, "销售": 0.58, "网站": 0.22}
ship = []


def make(cid, d, qid=""):
    wh = R.choices(whs, [x[6] for x in whs])[0]
    c = R.choices(CAR, [x[4] for x in CAR])[0]
    dest = R.choices(range(1, len(CITY) + 1), [x[4] for x in CITY])[0]
    svc = R.choices(["当日达", "次日达", "隔日达", "经济件"], [6, 38, 30, 26])[0]
    if c[2] == "航空":
        svc = R.choices(["次日达", "隔日达"], [80, 20])[0]
    if c[2] == "水路":
        svc = "经济件"
    t = datetime(d.year, d.month, d.day, R.randrange(7, 22), R.randrange(60))
    prom = {"当日达": 14, "次日达": 36, "隔日达": 60, "经济件": 120}[svc]
    disp = t + timedelta(minutes=R.randrange(40, 600))
    same = wh[2] == dest
    ok = R.random() < c[5] * (0.96 if d.month == 11 else 1) * (0.93 if d.month == 2 else 1)
    hrs = prom * (R.uniform(0.45, 0.98) if ok else R.uniform(1.05, 1.9))
    deliv = t + timedelta(hours=hrs)
    if deliv <= disp:
        disp = t + timedelta(minutes=30)
    st = R.choices(["已签收", "退回", "丢失", "已取消"], [93.2, 2.6, 0.6, 2.6])[0]
    if deliv > datetime(2026, 11, 21, 7) and st != "已取消":
        st = "运输中"
    kg = round(R.lognormvariate(3.3, 1.1), 1) + 0.5
    fr = 12 + kg * {"当日达": 3.6, "次日达": 2.4, "隔日达": 1.7, "经济件": 1.05}[svc] * (
        1 if same else 1.5
    ) * (1.9 if c[2] == "航空" else 1)
    disc = R.choice([0, 0, 0, 0.05, 0.1, 0.15, 0.2])
    cost = fr * R.uniform(0.58, 0.95) * (0.94 if c[3] == "C" else 1) * (0.97 if wh[3] == "自营仓" else 1)
    route = f"{wh[0].split('-')[0]}-{CITY[dest - 1][3]}-{1:02d}"
    ship.append(
        [
            t,
            cid,
            wh[0],
            c[0],
            route,
            dest,
            svc,
            R.choices(GOODS, gw)[0],
            t,
            disp if st != "已取消" else "",
            deliv.replace(microsecond=0) if st == "已签收" else "",
            (t + timedelta(hours=prom)),
            f"{kg:.1f}",
            R.randrange(1, 9),
            f"{fr:.2f}",
            f"{disc:.3f}",
            f"{cost:.2f}",
            st,
            qid,
        ]
    )


for qq in quotes:
    if R.random() < conv[qq[3]]:
        d = qq[2].date() + timedelta(days=R.choice([0, 0, 1, 1, 2, 3, 4, 5, 5, 9, 12, 15, 20]))
        if d <= end and not (d == qq[2].date() and qq[2].hour > 19):
            make(qq[1], d, qq[0])
for d in R.choices(alldays, ww, k=11600):
    make(R.choices(cust, cw)[0][0], d)
ship.sort(key=lambda x: (x[0], x[1]))
rows = [(f"WB{i + 1:07d}", *s[1:]) for i, s in enumerate(ship)]
write(
    "shipment",
    [
        "shipment_no",
        "customer_id",
        "wh_code",
        "carrier_code",
        "route_code",
        "dest_city_id",
        "service",
        "goods",
        "created_at",
        "dispatched_at",
        "delivered_at",
        "promised_at",
        "weight",
        "shipments",
        "freight",
        "discount",
        "cost",
        "state",
        "quote_id",
    ],
    rows,
)
write("quote", ["quote_id", "customer_id", "quoted_at", "channel"], quotes)
exc = []
for r in rows:
    if r[17] == "已取消":
        continue
    pr = 0.10 if r[17] == "已签收" else {"退回": 0.8, "丢失": 1, "运输中": 0.03}[r[17]]
    if R.random() < pr * (1.5 if r[3] in ("QF", "JS") else 1):
        k = (
            "丢失"
            if r[17] == "丢失"
            else R.choices(["破损", "延误", "错发", "拒收", "地址不详"], [24, 38, 9, 13, 16])[0]
        )
        h = r[8] + timedelta(hours=R.uniform(3, 70))
        if h > datetime(2026, 11, 20, 23):
            h = datetime(2026, 11, 20, R.randrange(12, 23), R.randrange(60))
        comp = (
            float(r[14])
            * {"破损": 1.6, "丢失": 4, "延误": 0.25, "错发": 0.3, "拒收": 0, "地址不详": 0}[k]
            * R.uniform(0.5, 1.3)
        )
        cl = h + timedelta(hours=R.expovariate(1 / 60) + 1)
        exc.append(
            (
                f"E{len(exc) + 1:05d}",
                r[0],
                k,
                h.replace(microsecond=0),
                f"{comp:.2f}",
                cl.replace(microsecond=0) if cl < datetime(2026, 11, 21) and R.random() < 0.97 else "",
                R.choices(["站点", "客服", "司机", "系统"], [4, 3, 2, 2])[0],
            )
        )
write(
    "exception",
    ["exc_id", "shipment_no", "kind", "happened_at", "compensation", "closed_at", "reporter"],
    exc,
)
stock = []
for wv in whs:
    cap = wv[4] // 20
    x = cap * R.uniform(0.45, 0.8)
    for i in range(92):
        d = date(2026, 8, 21) + timedelta(days=i)
        x = min(cap * 1.04, max(cap * 0.2, x * R.uniform(0.95, 1.055)))
        stock.append((d, wv[0], int(x), cap))
stock.sort()
write("stock", ["day", "wh_code", "pallets", "capacity"], stock)
print(len(rows), len(quotes), len(exc), len(stock), len(whs), len({r[4] for r in rows}))
