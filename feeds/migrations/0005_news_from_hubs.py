import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('feeds', '0004_digests_of_links'),
    ]

    operations = [
        migrations.AddField(
            model_name='hubsubscription',
            name='due_at',
            field=models.DateTimeField(default=django.utils.timezone.now, help_text='When to ask again: to renew, or as nothing came of it.'),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='hubsubscription',
            name='told_at',
            field=models.DateTimeField(blank=True, help_text='When it last sent news; empty again when it has missed some.', null=True),
        ),
        migrations.CreateModel(
            name='HubNews',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('body', models.BinaryField()),
                ('content_type', models.CharField(blank=True, max_length=200)),
                ('came_at', models.DateTimeField()),
                ('feed', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='hub_news', to='feeds.feed')),
            ],
            options={
                'verbose_name_plural': 'hub news',
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('feed', 'digest'), name='hub_news_once')],
            },
        ),
    ]
