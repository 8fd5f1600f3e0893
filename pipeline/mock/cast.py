"""The guests: who they are, where they live and what their profiles say.

A line reads ``username|display name|language|flags``; a flag is explained in ``_FLAGS`` or is ``fame=N``,
``activity=N``.
"""

from __future__ import annotations

import random
from typing import Any

from pipeline.mock.records import MockAuthor

OWNER = "host"  # whose token the home server accepts
_SCRIPT_NAME = "<script>alert('jelly')</script>Bobby T."

_CAST: dict[str, str] = {
    "home": f"""
{OWNER}|Jelly Night 🎬|en|fame=2,activity=0.5
theremin_tess|Tess plays the theremin 🎶|en|fame=6,activity=2.4
popcorn_pilot|Popcorn Pilot 🍿|en|fame=3,activity=2
mothman_maud|Maud (she/her)|en|fame=2
reelreader|Reel Reader|en|
quiet_quentin|Quentin|en|wish-field-nobots,fame=2
saltshaker_sam|Sam of the Salt Shaker :tuba:|en|fame=3
nightowl_nell|Nell 🦉|en|activity=1.6
ticketstub|Ticket Stub|en|
anneke_kijkt|Anneke kijkt films|nl|
""",
    "large": """
rubbersuit_ron|Ron, inside the suit :jelly:|en|fame=8,activity=2.6
zipper_spotter|I Can See The Zip|en|fame=5,activity=3.4
matinee_mo|Mo at the matinée|en|fame=2,activity=1.5
drivein_dana|Dana 🚗|en|
bmovie_bea|Bea Movie 🐝|en|fame=4,activity=2
vhs_vincent|Vincent has it on tape 📼|en|
frame_by_frankie|Frankie, frame by frame|en|fame=2,activity=1.4
drivein_bot|Showtimes (bot)|en|bot,fame=2
private_pat|Pat|en|wish-nobot,fame=9
cardboard_comet|Cardboard Comet ☄️|en|activity=1.3
bruno_buio|Bruno nel buio|it|
ana_pipoca|Ana 🍿|pt|
noor_kino|نور السينما|ar|
""",
    "german": """
kino_kira|Kira im Kino 🎞️|de|fame=4,activity=5
wackelpudding|Wackelpudding 💚|de|fame=3,activity=2
flimmerfritz|Flimmerfritz|de|activity=1.4
tuba_tine|Tine (spielt wirklich Tuba)|de|fame=5
spaetvorstellung|Die Spätvorstellung|de|
leuchtturm_leo|Leo 🗼|de|
geheimrat|Geheimrat G.|de|wish-noindex-flag
moviemarta|Marta|en|
""",
    "no-replies": """
lola_lumiere|Lola Lumière ✨|es|fame=3,activity=2
gelatina_gil|Gil Gelatina|es|activity=1.5
butaca_roja|Butaca Roja 🔴|es|
sesion_doble|Sesión Doble|es|fame=2
""",
    "closed": """
backrow_betty|Betty from the back row|en|fame=3,activity=1.5
whispering_will|Will (whispering)|en|
""",
    "flake": """
midnight_mika|Mika 🌙|en|fame=4,activity=2
creature_carl|Carl Creature|en|wish-nomastoscore,fame=3
pudding_priest|The Pudding Priest|en|activity=1.5
oozing_oona|Oona oozes :blob_scream:|en|fame=2
layla_reels|ليلى|ar|
""",
    "no-api": """
eiga_emi|えみ@映画の夜|ja|fame=3,activity=1.4
purin_pon|プリンぽん 🍮|ja|
""",
    "local-only": """
balcony_bill|Bill in the balcony|en|fame=2,activity=1.5
opera_glasses|Opera Glasses 🧐|en|
camille_bobine|Camille|fr|
""",
    "refusing": """
velvet_rope|Velvet Rope|en|fame=2
members_only_max|Max|en|
""",
    "short-pages": """
filmfanaat|Filmfanaat|nl|activity=1.6
zuid_zina|Zina uit Zuid|nl|
hana_at_night|ハナ 🌸|ja|activity=2
subtitle_sue|Sue reads the subtitles|en|fame=2
projector_piet|Piet 📽️|nl|
""",
    "repeating": """
cinephile_celeste|Céleste 🌟|fr|fame=2,activity=1.6
bobine_bob|Bob la Bobine|fr|
ketchup_kit|Kit :popcorn:|en|
""",
    "linkless": """
lens_cap_lou|Lou forgot the lens cap|en|activity=1.4
fogmachine_fay|Fay 🌫️|en|fame=2
script_bobby|XSS|en|xss
sachiko_screen|さちこ|ja|activity=1.4
""",
    "limiting": """
intermission_ivy|Ivy 🌿|en|fame=3,activity=1.4
icecream_ian|Ian with the ice cream 🍦|en|
curtain_call_cy|Cy|en|wish-hidden-elsewhere
""",
    "stumbling": """
torn_ticket_tom|Tom|en|
lobby_card_lin|Lin collects lobby cards|en|
reel_rosa|Rosa|es|activity=1.3
""",
    "down": """
burntreel_bo|Bo|en|fame=2
nitrate_nina|Nina Nitrate 🔥|en|
""",
    "robots": """
quiet_carriage|A quiet person|en|
softly_sofie|Sofie, leise|de|
""",
    "html": "parked_paula|Paula|en|\n",
    "sloppy": """
stuntdouble_stu|Stu the stunt double|en|fame=2,activity=1.3
gillman_gus|Gus 🐟|en|
yuki_usa|ゆき⛄|ja|activity=1.6
foley_fran|Fran does the foley|en|
""",
    "second-hop": "shed_shirley|Shirley in the shed 🛖|en|\n",
    "third-hop": "onechair_otto|Otto, one chair|de|\n",
    "foreign": "router_rick|Rick behind the router|en|\n",
    "busy": """
soldout_sid|Sid|en|
standingroom_stella|Stella, standing room|en|fame=2,activity=1.3
salma_frames|سلمى 🎞️|ar|
""",
}

_NOTES: dict[str, tuple[str, ...]] = {
    "en": (
        "Watches bad films so you want to as well.",
        "Tea, cats and creature features.",
        "I make the noises the monster should have made.",
        "Two projectors, one sofa, no plan.",
        "Here for the miniatures and the cardigans.",
    ),
    "de": ("Filme, Tee und schlechte Wortspiele.", "Sitzt immer Reihe sieben Mitte."),
    "es": ("Cine de barrio y gatos.", "Monstruos de goma, corazón blando."),
    "fr": ("Cinéma bis et tisane.",),
    "ja": ("古い怪獣映画が好きです。",),
    "ar": ("أحب الأفلام القديمة.",),
    "nl": ("Films, drop en regen.",),
    "pt": ("Cinema e pão de queijo.",),
    "it": ("Vecchi film e gatti.",),
}

_FLAGS: dict[str, dict[str, Any]] = {
    "bot": {"is_bot": True, "note": "I post when films start. Run by a person with a timetable."},
    "wish-nobot": {"wishes": ("nobot",), "note": "Just here for my friends. #nobot", "is_indexable": False},
    "wish-field-nobots": {"wishes": ("nobots",), "fields": (("Please", "#NoBots"),)},
    "wish-nomastoscore": {"wishes": ("nomastoscore",), "note": "Films yes, scores no. #NoMastoscore"},
    "wish-noindex-flag": {"wishes": ("account-noindex",), "is_indexable": False},
    "wish-hidden-elsewhere": {
        "wishes": ("noindex",),
        "hides_wishes_elsewhere": True,
        "note": "Changed my mind about being found. #noindex",
    },
    "xss": {
        "display_name": _SCRIPT_NAME,
        "note": 'Tests software for a living. <img src="x" onerror="alert(1)">',
        "is_discoverable": None,
        "is_indexable": None,
    },
}

STALE_NOTE = "Changed my mind about many things."


def make_authors(key: str, server: str, rng: random.Random) -> tuple[MockAuthor, ...]:
    """The guests living on a server of that behaviour; two strangers where nobody has been written yet."""
    lines = _CAST.get(key, "guest_one|A guest|en|\nguest_two|Another guest|en|").strip().splitlines()
    return tuple(_make_author(line, server, rng) for line in lines)


def _make_author(line: str, server: str, rng: random.Random) -> MockAuthor:
    username, display_name, language, flags = line.split("|")
    values: dict[str, Any] = {
        "display_name": display_name,
        "note": rng.choice(_NOTES[language]),
        "fame": rng.lognormvariate(0, 0.4),
        "activity": rng.lognormvariate(0, 0.3),
    }
    for flag in filter(None, flags.split(",")):
        name, is_number, number = flag.partition("=")
        if is_number:
            values[name] *= float(number)
        else:
            values |= _FLAGS[name]
    return MockAuthor(username=username, server=server, language=language, **values)
