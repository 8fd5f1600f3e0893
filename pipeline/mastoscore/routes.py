"""The contract's routes below ``/api``: path, view, name. The order matters: a name may hold slashes."""

from __future__ import annotations

from typing import Any

from pipeline.mastoscore import blog, configs, fetching, numbers

ROUTES: list[tuple[str, Any, str]] = [
    ("config/list", configs.ConfigList.as_view(), "mastoscore-config-list"),
    ("config/<path:name>", configs.Config.as_view(), "mastoscore-config"),
    ("fetch", fetching.Fetch.as_view(), "mastoscore-fetch"),
    ("fetch/cancel", fetching.FetchCancel.as_view(), "mastoscore-fetch-cancel"),
    ("fetch/ready", fetching.FetchReady.as_view(), "mastoscore-fetch-ready"),
    ("fetch/reset", fetching.FetchReset.as_view(), "mastoscore-fetch-reset"),
    ("analyse", numbers.Analyse.as_view(), "mastoscore-analyse"),
    ("results/<path:name>", numbers.Results.as_view(), "mastoscore-results"),
    *numbers.views_of("graph", "graph"),
    *numbers.views_of("wordcloud", "word cloud"),
    ("graphs/<path:file>", numbers.GraphFile.as_view(), "mastoscore-graph-file"),
    ("post", fetching.Post.as_view(), "mastoscore-post"),
    ("blog", blog.Blog.as_view(), "mastoscore-blog"),
    ("blog/ready", blog.BlogReady.as_view(), "mastoscore-blog-ready"),
    ("blog/content", blog.BlogContent.as_view(), "mastoscore-blog-content"),
    ("blog/posts", blog.BlogPosts.as_view(), "mastoscore-blog-posts"),
    ("blog/poster", blog.BlogPoster.as_view(), "mastoscore-blog-poster"),
    ("blog/poster/image", blog.BlogPosterImage.as_view(), "mastoscore-blog-poster-image"),
    ("blog/search-posters", blog.SearchPosters.as_view(), "mastoscore-search-posters"),
    ("blog/select-poster", blog.SelectPoster.as_view(), "mastoscore-select-poster"),
    ("jobs/<str:job_id>", fetching.JobState.as_view(), "mastoscore-job"),
]
