"""A hook for MkDocs: lay out the site like the repository, so that each link works on GitHub and in the site."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
PAGES = ["*.md", "docs/*.md", "docs/decisions/*.md", "examples/*.md", "models/*.md", "models/*/*.md"]
ASSETS = ["docs/*.css", "docs/*.png", "examples/*.png", "models/*/*.png"]
SOURCES = ["LICENSE", "deploy/**/*.*", "examples/*.py", "gan_serve/**/*.py", "training/**/*.py"]
HTML_LINK = re.compile(r'<(?:a|img)\s[^>]*?(?:href|src)="([^"#:]+)"')

log = get_plugin_logger("docs")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the files of `docs/` by those of the repository that are pages, or that pages link to."""
    paths = sorted({path for pattern in PAGES + ASSETS + SOURCES for path in ROOT.glob(pattern) if path.is_file()})
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    own = [File(name, str(ROOT), config.site_dir, config.use_directory_urls) for name in names]
    return Files([*(file for file in files if file.src_dir != config.docs_dir), *own])


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> None:
    """Warn of broken links in HTML, which MkDocs checks in Markdown alone."""
    for target in HTML_LINK.findall(markdown):
        if not (ROOT / page.file.src_uri).parent.joinpath(target).is_file():
            log.warning(f"{page.file.src_uri} links to {target}, which does not exist")
