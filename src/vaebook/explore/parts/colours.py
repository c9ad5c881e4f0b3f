r"""The colours of the explorers: of each a light and a dark one."""

from vaebook.figures import CLASS_COLOURS, ELBO_COLOUR, KL_COLOUR, LIKELIHOOD_COLOUR

DARK_CLASSES = (
    "#a7a9ff",
    "#5ab4f5",
    "#4fd1c5",
    "#74c476",
    "#d8d04e",
    "#f2a65a",
    "#ff8166",
    "#ff8fb8",
    "#dc8fdf",
    "#b4bfca",
)
LIGHT_AND_DARK = {
    "paper": ("#ffffff", "#1b2028"),
    "ink": (ELBO_COLOUR, "#e6ebf0"),
    "text": ("#222832", "#ced6dd"),
    "muted": ("#566273", "#9ca8b6"),
    "surface": ("#f7f8fa", "#1b2028"),
    "line": ("#e3e7ec", "#2c343f"),
    "edge": ("#8a95a3", "#6c7887"),
    "accent": (LIKELIHOOD_COLOUR, "#4cc0d6"),
    "kl": (KL_COLOUR, "#f0a35c"),
} | {
    f"class-{k}": pair
    for k, pair in enumerate(zip(CLASS_COLOURS, DARK_CLASSES, strict=True))
}
LIGHT = {name: light for name, (light, _) in LIGHT_AND_DARK.items()}
INK, MUTED, ACCENT, LINE = (LIGHT[name] for name in ("ink", "muted", "accent", "line"))


def custom_properties() -> str:
    """CSS of ``--vb-paper`` and so on, which follow the theme of the page."""
    lines = (
        f"--vb-{name}: light-dark({light}, {dark});\n"
        for name, (light, dark) in LIGHT_AND_DARK.items()
    )
    return f".vb {{\n{''.join(lines)}}}\n"
