"""Names of demo businesses and of the people who act for them."""

from dataclasses import dataclass
from random import Random

_words = str.split

COUNTRIES = _words(
    "US US US US US GB GB GB GB DE DE DE DE FR FR FR NL NL NL ES ES IT IT SE PL IE CA CA AU JP "
    "SG BR MX"
)
FORMS = {
    "US": "Inc.", "GB": "Ltd", "DE": "GmbH", "FR": "SARL", "NL": "B.V.", "ES": "S.L.",
    "IT": "S.r.l.", "SE": "AB", "PL": "Sp. z o.o.", "IE": "Ltd", "CA": "Inc.", "AU": "Pty Ltd",
    "JP": "K.K.", "SG": "Pte Ltd", "BR": "Ltda", "MX": "S.A.",
}  # fmt: skip
FIRST_WORDS = _words(
    "Amber Blue Cedar Copper Coral Crimson Dune Ember Fern Golden Granite Harbour Hazel Indigo "
    "Ivory Juniper Lantern Linden Maple Marble Meadow Mill Misty Nordlicht North Oak Olive Opal "
    "Orchard Pebble Pine Quarry Quiet River Saffron Silver Slate Sunny Thistle Tidal Velvet Wild"
)
SECOND_WORDS = _words(
    "Bakery Bikes Books Brewery Candles Ceramics Charter Clinic Coffee Cosmetics Dental Design "
    "Electronics Events Fashion Fitness Flowers Foods Furniture Games Garden Hardware Hosting "
    "Jewellery Lighting Logistics Media Music Optics Outdoors Pets Pharmacy Photography Records "
    "Rentals Software Spirits Studio Tea Tickets Tools Toys Travel Tutoring Wines Workshop Yoga"
)
GIVEN_NAMES = _words(
    "Aisha Alejandro Anna Ben Carla Chen Clara David Elena Emma Farid Fatima George Hana Ines "
    "Ivan Jack Julia Kenji Lars Layla Lucas Maria Mateo Nina Noah Olga Paul Priya Rosa Samuel "
    "Sara Tom Wei Yusuf Zoë"
)
FAMILY_NAMES = _words(
    "Almeida Andersson Bauer Bianchi Brown Carter Dubois Evans Fischer Garcia Haddad Ito Jansen "
    "Kaya Kim Kowalski Larsen Lopez Martin Mori Müller Nguyen Novak O'Brien Okoye Patel Rossi "
    "Santos Schmidt Silva Singh Smith Tan Vermeer Walker Wójcik"
)


@dataclass(frozen=True)
class Business:
    """What a demo account is called, where it is, and who acts for it."""

    name: str
    country: str
    email: str
    person: str


def invent(rng: Random) -> Business:
    """A business that nobody has heard of."""
    first, second = rng.choice(FIRST_WORDS), rng.choice(SECOND_WORDS)
    country = rng.choice(COUNTRIES)
    return Business(
        name=f"{first} {second} {FORMS[country]}",
        country=country,
        email=f"hello@{first}-{second}.example".lower(),
        person=f"{rng.choice(GIVEN_NAMES)} {rng.choice(FAMILY_NAMES)}",
    )
