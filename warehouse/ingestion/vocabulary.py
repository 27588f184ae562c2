"""The fixed facts of the sample shop: where it sells, what it sells, and how its markets differ."""

from __future__ import annotations

from typing import NamedTuple


class Country(NamedTuple):
    """A market. `share` of sign-ups, its `swing` over `period` days; the rest are factors around 1."""

    name: str
    share: float
    swing: float
    period: int
    basket: float
    returns: float
    cancels: float
    spellings: tuple[str, ...]
    # city, state, latitude, longitude, postal prefix
    cities: tuple[tuple[str, str, float, float, str], ...]


class Category(NamedTuple):
    """What is sold. `price` is the median in USD; `season` the month (1-12) it sells best in, 0 for none."""

    name: str
    department: str
    share: float
    price: float
    margin: float
    returns: float
    season: int


class Center(NamedTuple):
    """A distribution center; `shelf_days` is how long a unit lies there on average."""

    name: str
    latitude: float
    longitude: float
    shelf_days: float


def _listed(names: str) -> tuple[str, ...]:
    return tuple(names.split("|"))


COUNTRIES = (
    Country(
        "China",
        34.0,
        0.12,
        230,
        1.00,
        0.80,
        0.9,
        (" china", "CHINA", "China "),
        (
            ("Shanghai", "Shanghai", 31.23, 121.47, "200"),
            ("Beijing", "Beijing", 39.90, 116.41, "100"),
            ("Shenzhen", "Guangdong", 22.54, 114.06, "518"),
            ("Chengdu", "Sichuan", 30.57, 104.07, "610"),
            ("Hangzhou", "Zhejiang", 30.27, 120.16, "310"),
            ("Wuhan", "Hubei", 30.59, 114.31, "430"),
        ),
    ),
    Country(
        "United States",
        22.5,
        0.10,
        310,
        1.18,
        1.25,
        1.0,
        ("USA", "united states", "United States "),
        (
            ("New York", "New York", 40.71, -74.01, "100"),
            ("Los Angeles", "California", 34.05, -118.24, "900"),
            ("Houston", "Texas", 29.76, -95.37, "770"),
            ("Chicago", "Illinois", 41.88, -87.63, "606"),
            ("Seattle", "Washington", 47.61, -122.33, "981"),
            ("Miami", "Florida", 25.76, -80.19, "331"),
        ),
    ),
    Country(
        "Brasil",
        14.5,
        0.25,
        270,
        0.84,
        0.90,
        1.5,
        ("Brazil", "brasil", " Brasil"),
        (
            ("São Paulo", "São Paulo", -23.55, -46.63, "010"),
            ("Rio de Janeiro", "Rio de Janeiro", -22.91, -43.17, "200"),
            ("Salvador", "Bahia", -12.97, -38.50, "400"),
            ("Curitiba", "Paraná", -25.43, -49.27, "800"),
        ),
    ),
    Country(
        "South Korea",
        5.4,
        0.20,
        190,
        1.06,
        0.70,
        0.8,
        ("South korea", "SOUTH KOREA"),
        (("Seoul", "Seoul", 37.57, 126.98, "045"), ("Busan", "Busan", 35.18, 129.08, "485")),
    ),
    Country(
        "France",
        4.8,
        0.15,
        250,
        1.02,
        1.15,
        1.0,
        ("FRANCE", "france "),
        (
            ("Paris", "Île-de-France", 48.86, 2.35, "750"),
            ("Lyon", "Auvergne-Rhône-Alpes", 45.76, 4.84, "690"),
        ),
    ),
    Country(
        "United Kingdom",
        4.6,
        0.15,
        280,
        1.04,
        1.30,
        1.0,
        ("UK", "United kingdom"),
        (("London", "England", 51.51, -0.13, "SW1"), ("Glasgow", "Scotland", 55.86, -4.25, "G11")),
    ),
    Country(
        "Germany",
        4.3,
        0.18,
        220,
        1.05,
        1.70,
        0.9,
        ("Deutschland", "germany"),
        (("Berlin", "Berlin", 52.52, 13.40, "101"), ("München", "Bayern", 48.14, 11.58, "803")),
    ),
    Country(
        "Spain",
        4.0,
        0.22,
        260,
        0.92,
        1.05,
        1.1,
        ("España", "SPAIN"),
        (
            ("Madrid", "Comunidad de Madrid", 40.42, -3.70, "280"),
            ("Barcelona", "Catalunya", 41.39, 2.17, "080"),
        ),
    ),
    Country(
        "Japan",
        2.5,
        0.20,
        240,
        1.12,
        0.50,
        0.6,
        ("japan", "JAPAN"),
        (("Tokyo", "Tokyo", 35.68, 139.69, "100"), ("Osaka", "Osaka", 34.69, 135.50, "530")),
    ),
    Country(
        "Australia",
        2.2,
        0.15,
        300,
        1.10,
        1.00,
        1.0,
        ("australia ", "AUSTRALIA"),
        (
            ("Sydney", "New South Wales", -33.87, 151.21, "200"),
            ("Melbourne", "Victoria", -37.81, 144.96, "300"),
        ),
    ),
    Country(
        "Belgium",
        1.2,
        0.10,
        210,
        0.98,
        1.20,
        1.0,
        ("belgium",),
        (("Brussels", "Brussels", 50.85, 4.35, "100"),),
    ),
    Country(
        "Poland",
        0.3,
        0.10,
        230,
        0.85,
        1.10,
        1.2,
        ("poland",),
        (("Warsaw", "Mazowieckie", 52.23, 21.01, "000"),),
    ),
)

CATEGORIES = (
    Category("Accessories", "Women", 4.6, 28, 0.60, 0.45, 12),
    Category("Active", "Women", 5.0, 42, 0.56, 0.80, 0),
    Category("Blazers & Jackets", "Women", 2.0, 85, 0.60, 1.20, 10),
    Category("Clothing Sets", "Women", 0.8, 75, 0.38, 1.10, 0),
    Category("Dresses", "Women", 5.6, 78, 0.55, 1.85, 6),
    Category("Fashion Hoodies & Sweatshirts", "Women", 4.2, 50, 0.48, 0.90, 11),
    Category("Intimates", "Women", 7.4, 30, 0.47, 0.60, 0),
    Category("Jeans", "Women", 5.2, 92, 0.46, 1.60, 0),
    Category("Jumpsuits & Rompers", "Women", 1.0, 44, 0.47, 1.50, 6),
    Category("Leggings", "Women", 3.4, 26, 0.40, 0.70, 0),
    Category("Maternity", "Women", 3.0, 48, 0.54, 0.95, 0),
    Category("Outerwear & Coats", "Women", 3.6, 140, 0.56, 1.35, 11),
    Category("Pants & Capris", "Women", 3.0, 62, 0.50, 1.25, 0),
    Category("Plus", "Women", 2.6, 46, 0.49, 1.10, 0),
    Category("Shorts", "Women", 2.8, 44, 0.50, 0.85, 7),
    Category("Skirts", "Women", 2.0, 52, 0.58, 1.15, 5),
    Category("Sleep & Lounge", "Women", 5.0, 45, 0.53, 0.55, 12),
    Category("Socks & Hosiery", "Women", 3.4, 16, 0.60, 0.25, 0),
    Category("Suits", "Women", 1.4, 118, 0.61, 1.30, 0),
    Category("Sweaters", "Women", 4.6, 72, 0.52, 1.05, 11),
    Category("Swim", "Women", 4.8, 54, 0.47, 1.40, 6),
    Category("Tops & Tees", "Women", 6.4, 40, 0.44, 0.85, 0),
    Category("Accessories", "Men", 5.0, 46, 0.60, 0.40, 12),
    Category("Active", "Men", 4.6, 46, 0.58, 0.75, 0),
    Category("Fashion Hoodies & Sweatshirts", "Men", 6.4, 58, 0.48, 0.85, 11),
    Category("Jeans", "Men", 6.8, 98, 0.47, 1.35, 0),
    Category("Outerwear & Coats", "Men", 5.2, 152, 0.56, 1.15, 11),
    Category("Pants", "Men", 6.0, 62, 0.54, 1.05, 0),
    Category("Shorts", "Men", 6.0, 46, 0.50, 0.75, 7),
    Category("Sleep & Lounge", "Men", 5.0, 50, 0.53, 0.50, 12),
    Category("Socks", "Men", 4.6, 18, 0.60, 0.20, 0),
    Category("Suits & Sport Coats", "Men", 3.0, 130, 0.60, 1.30, 9),
    Category("Sweaters", "Men", 5.8, 76, 0.52, 0.95, 11),
    Category("Swim", "Men", 4.8, 48, 0.50, 0.95, 6),
    Category("Tops & Tees", "Men", 6.4, 38, 0.46, 0.80, 0),
    Category("Underwear", "Men", 5.2, 27, 0.53, 0.30, 0),
)

CENTERS = (
    Center("Memphis TN", 35.1174, -89.9711, 24.0),
    Center("Chicago IL", 41.8369, -87.6847, 21.0),
    Center("Houston TX", 29.7604, -95.3698, 28.0),
    Center("Los Angeles CA", 34.0500, -118.2500, 17.0),
    Center("New Orleans LA", 29.9500, -90.0667, 39.0),
    Center("Port Authority of New York/New Jersey NY/NJ", 40.6340, -73.7834, 19.0),
    Center("Philadelphia PA", 39.9500, -75.1667, 26.0),
    Center("Mobile AL", 30.6944, -88.0431, 46.0),
    Center("Charleston SC", 32.7833, -79.9333, 33.0),
    Center("Savannah GA", 32.0167, -81.1167, 30.0),
)

BRANDS = _listed(
    "Allegra K|Calvin Klein|Carhartt|Hanes|Volcom|Nautica|Levi's|Quiksilver|Tommy Hilfiger|"
    "Columbia|Dockers|Speedo|O'Neill|Diesel|Ray-Ban|Lucky Brand|Wrangler|Champion|Jockey|"
    "Maidenform|Motherhood Maternity|True Religion|Patty|Roxy|Anne Klein|Kenneth Cole|Puma|"
    "Under Armour|The North Face|Oakley|Fox|Woolrich|Haggar|Perry Ellis|Izod|Billabong"
)

# How users come to the shop, and what brings a visit: two lists in the original sample, too.
USER_SOURCES = (("Search", 0.70), ("Organic", 0.15), ("Facebook", 0.06), ("Email", 0.05), ("Display", 0.04))
VISIT_SOURCES = (("Adwords", 0.30), ("Email", 0.45), ("Facebook", 0.10), ("Organic", 0.05), ("YouTube", 0.10))
BROWSERS = (("Chrome", 0.50), ("Firefox", 0.20), ("Safari", 0.20), ("IE", 0.05), ("Other", 0.05))

FIRST_NAMES = {
    "F": _listed("Mary|Wei|Ana|Jennifer|Min-ji|Sofia|Emma|Yuki|Julia|Laura|Camila|Chloé"),
    "M": _listed("James|Lei|João|Michael|Ji-hoon|Lucas|Oliver|Haruto|David|Daniel|Mateo|Hugo"),
}
LAST_NAMES = _listed(
    "Smith|Wang|Silva|Kim|Martin|Jones|Müller|García|Sato|Nguyen|"
    "Brown|Li|Santos|Park|Bernard|Taylor|Schmidt|López|Tanaka|Wilson"
)
STREETS = _listed("Oak Street|Main Street|Station Road|Park Avenue|Mill Lane|Garden Way|High Street")

# Day of the week, Monday first, and month: factors around 1.
WEEK = (0.94, 0.93, 0.96, 0.99, 1.06, 1.12, 1.00)
YEAR = (0.92, 0.90, 0.95, 0.96, 1.00, 1.02, 0.97, 0.96, 1.00, 1.03, 1.15, 1.20)
# Hour of the day, UTC.
HOURS = (3, 3, 3, 4, 4, 5, 5, 6, 6, 6, 5, 5, 5, 6, 6, 6, 5, 5, 4, 4, 3, 3, 3, 2)
