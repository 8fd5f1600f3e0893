from django.db import migrations

from feeds.link_digest import link_digest

BATCH = 1000


def fill_in(apps, schema_editor):
    """Entries from before there were digests. By number, so that a second run goes on where the first one was cut."""
    entries = apps.get_model("feeds", "Entry").objects.using(schema_editor.connection.alias)
    last = 0
    while True:
        rows = list(
            entries.filter(pk__gt=last, link_digest="").exclude(url="").order_by("pk").only("pk", "url")[:BATCH]
        )
        if not rows:
            return
        last = rows[-1].pk
        for row in rows:
            row.link_digest = link_digest(row.url)
        entries.bulk_update([row for row in rows if row.link_digest], ["link_digest"], batch_size=200)


class Migration(migrations.Migration):
    atomic = False  # short transactions: others may write meanwhile

    dependencies = [("feeds", "0003_search_server")]

    operations = [migrations.RunPython(fill_in, migrations.RunPython.noop)]
