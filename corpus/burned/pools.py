"""Invented names, clinics and places by script; none is meant to be of a living person."""

__all__ = [
    "ADDRESSES",
    "CLINIC_HEADS",
    "CLINIC_PLACES",
    "MONTHS",
    "NAMES",
    "OPERATORS",
    "PHYSICIANS",
]

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def _table(text: str) -> tuple[tuple[str, str, str], ...]:
    rows = (line.split() for line in text.strip().splitlines())
    return tuple((row[0], row[1], row[2] if len(row) > 2 else f"{row[0]}^{row[1]}") for row in rows)


# family, given, and the header's romanised form where the script is another
NAMES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "latin": _table("""
        Doewell Jane
        Roebuck Richard
        Ashgrove Margaret
        Thistlewood Henry
        Ng Li
        Oakhurst Emily
        Fenwicke George
        Marlowe Ann
        Pemberton Alexander
        Quillfeather Rose
        Stonebridge William
        Abbotsleigh Catherine
        Ito Ken
        Vandermolen Pieter
        Kowalczykowa Ewa
        Lindqvist Erik
        Castellano Maria
        Okonkwolu Chidi
        Featherstonehaugh Christopher
        Yu An
        Bramblewick Tom
        Hollingberry Susan
        Delacroixmont Paul
        Whitcombe Zoe
        Nakagawara Hiro
        Rossellini Carla
        Haddadian Omar
        Silverthorne Peter
        Kestrelman Joan
        Wu Bo
    """),
    "accented": _table("""
        Müllerstädt Jürgen
        Gößwein Käthe
        Lefèbvroy Hélène
        Núñezmar José
        Šimůnková Žofie
        Wiśniowski Łukasz
        Ångströmer Åke
        Çelikoğlu Gül
        Björnsdóttir Þóra
        Țărănescu Ștefan
        Håkanssøn Søren
        Gonçalvães João
    """),
    "greek": _table("""
        Παπαγιάννης Γεώργιος Papagiannis^Georgios
        Καραμήτρου Ελένη Karamitrou^Eleni
        Βλαχόπουλος Νίκος Vlachopoulos^Nikos
        Σταυρίδου Μαρία Stavridou^Maria
        Δημητρέλλης Άγγελος Dimitrellis^Angelos
    """),
    "cyrillic": _table("""
        Звездочётов Иван Zvezdochetov^Ivan
        Белокопытова Анна Belokopytova^Anna
        Щукарёв Пётр Shchukarev^Petr
        Ковальчукова Ольга Kovalchukova^Olga
        Жданович Юрий Zhdanovich^Yuri
    """),
    "han": _table("""
        欧阳 志明 Ouyang^Zhiming
        张 伟华 Zhang^Weihua
        陈 丽君 Chen^Lijun
        王 小芳 Wang^Xiaofang
        李 建国 Li^Jianguo
        赵 敏 Zhao^Min
    """),
    "kana": _table("""
        ヤマモト タロウ Yamamoto^Tarou
        すずき はなこ Suzuki^Hanako
        タナカ ミドリ Tanaka^Midori
        サトウ ケンジ Satou^Kenji
    """),
    "hangul": _table("""
        김 민준 Kim^Minjun
        이 서연 Lee^Seoyeon
        박 지훈 Park^Jihun
        최 은영 Choi^Eunyeong
        남궁 별 Namgung^Byeol
    """),
}
CLINIC_PLACES = (
    "St. Alder", "Northmoor", "Elmbridge", "Mercy Hill", "Lakeview", "Ravenscar", "Kings Ferry",
    "Holy Cross", "Weststadt", "Sankt Emil", "Val d'Orne", "Santa Inez", "Fjordheim", "Oakland Bay",
)  # fmt: skip
CLINIC_HEADS = (
    "Hospital", "Med Ctr", "Medical Center", "Clinic", "Radiology", "Klinikum", "CHU", "Infirmary",
    "Imaging", "University Hospital", "Breast Center", "Dept. of Radiology",
)  # fmt: skip
ADDRESSES = (
    "Mill Lane", "Harbour Street", "Elm Road", "Queens Ave", "Birkenweg", "rue des Lilas",
    "Station Rd, Elmbridge", "Oak Street, Northmoor", "Church Hill",
)  # fmt: skip
PHYSICIANS = (
    "Hartwell", "Okonjo", "B. Steiner", "Moreau", "Lindgrenson", "Achterberg", "S. Patelwala",
    "Iglesiano", "Wu", "Nakashimada", "F. Brandtner", "O'Mallory",
)  # fmt: skip
OPERATORS = ("JAA", "MKT", "LAG", "RS", "BH", "KLM", "TW", "EF", "SPO", "DNR", "CJ", "HBX")
