"""A picture of a lineage as SVG: years downwards, boxes for algorithms, weaknesses on the arrows."""

import textwrap
from html import escape

from training.lineage.graph import chains
from training.lineage.schema import Lineage, Node, shown_year

WIDTH, HEIGHT = 250, 96
GAP_X, GAP_Y = 40, 110
MARGIN = 30
STYLE = (
    "text{font-family:sans-serif;font-size:12px;fill:#222}.title{font-weight:bold;font-size:14px}"
    ".box{fill:#f3f6fb;stroke:#4a6a9a}.edge{stroke:#4a6a9a;fill:none;marker-end:url(#tip)}"
    ".why{font-size:11px;fill:#8a3b12}"
)


def draw(lineage: Lineage) -> str:
    """The whole picture as one SVG document."""
    places = _places(lineage)
    columns = 1 + max(column for column, _ in places.values())
    rows = 1 + max(row for _, row in places.values())
    width = 2 * MARGIN + columns * (WIDTH + GAP_X) - GAP_X
    height = 2 * MARGIN + 30 + rows * (HEIGHT + GAP_Y) - GAP_Y
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(lineage.title)}</title><style>{STYLE}</style>",
        '<defs><marker id="tip" markerWidth="9" markerHeight="9" refX="8" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#4a6a9a"/></marker></defs>',
        f'<text class="title" x="{MARGIN}" y="{MARGIN}">{escape(lineage.title)}</text>',
    ]
    parts += [_edge(lineage, places, number) for number in range(len(lineage.edges))]
    parts += [_box(node, places[node.id]) for node in lineage.nodes]
    return "\n".join([*parts, "</svg>", ""])


def _places(lineage: Lineage) -> dict[str, tuple[int, int]]:
    """Column and row of each node; the row is the longest way from a root."""
    row = {node.id: 0 for node in lineage.nodes}
    for chain in chains(lineage):
        row[chain.last.id] = max(row[chain.last.id], len(chain.edges))
    taken: dict[int, int] = {}
    places = {}
    for node in sorted(lineage.nodes, key=lambda node: node.year):
        column = taken.get(row[node.id], 0)
        taken[row[node.id]] = column + 1
        places[node.id] = (column, row[node.id])
    return places


def _corner(place: tuple[int, int]) -> tuple[int, int]:
    column, row = place
    return MARGIN + column * (WIDTH + GAP_X), MARGIN + 30 + row * (HEIGHT + GAP_Y)


def _box(node: Node, place: tuple[int, int]) -> str:
    x, y = _corner(place)
    ideas = textwrap.wrap("; ".join(node.ideas), 40)
    lines = [*ideas[:3], "…"] if len(ideas) > 3 else ideas
    runs = " (runs)" if node.program else ""
    texts = [f'<text class="title" x="{x + 10}" y="{y + 20}">{escape(node.title[:32])}</text>']
    texts.append(f'<text x="{x + 10}" y="{y + 36}">{shown_year(node.year)}{runs}</text>')
    texts += [
        f'<text x="{x + 10}" y="{y + 52 + 13 * number}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]
    tip = f"<title>{escape(str(node.source))}</title>"
    box = f'<rect class="box" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
    return f"<g>{tip}{box}{''.join(texts)}</g>"


def _edge(lineage: Lineage, places: dict[str, tuple[int, int]], number: int) -> str:
    edge = lineage.edges[number]
    (x1, y1), (x2, y2) = _corner(places[edge.parent]), _corner(places[edge.child])
    start, end = (x1 + WIDTH // 2, y1 + HEIGHT), (x2 + WIDTH // 2, y2)
    middle = (start[1] + end[1]) // 2
    line = (
        f'<path class="edge" d="M{start[0]},{start[1]} C{start[0]},{middle} '
        f'{end[0]},{middle} {end[0]},{end[1] - 2}"/>'
    )
    why = textwrap.wrap(edge.weakness, 42)[:4]
    texts = [
        f'<text class="why" x="{end[0] - WIDTH // 2 + 4}" y="{end[1] - 58 + 13 * place}">'
        f"{escape(text)}</text>"
        for place, text in enumerate(why)
    ]
    return f"<g>{line}{''.join(texts)}</g>"
