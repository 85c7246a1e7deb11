"""Parts of lineage files, as YAML reads them."""

from typing import Any


def node(name: str, year: int) -> dict[str, Any]:
    return {
        "id": name,
        "title": name.title(),
        "year": year,
        "source": {"authors": "A. Author", "title": f"On {name}", "year": year},
        "pseudocode": f"start {name}\nwork\nend\n",
        "ideas": [f"idea of {name}"],
        "use": "Tests.",
        "strengths": ["short"],
        "bottlenecks": [f"{name} is slow"],
    }


def edge(parent: str, child: str) -> dict[str, Any]:
    return {
        "from": parent,
        "to": child,
        "weakness": f"{parent} is slow.",
        "motivation": "Time matters.",
        "change": f"{child} does less.",
        "citation": f"The paper on {child} names {parent}.",
    }
