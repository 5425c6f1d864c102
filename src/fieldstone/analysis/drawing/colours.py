"""Colours and types of the drawing: what comes in is blue, what leaves is green, all else is ink and stone."""

INK, MUTED, EDGE, HAIRLINE = "#1D1C1A", "#5E5B53", "#87837A", "#DCD9D0"
SURFACE, PAPER, SUNKEN = "#FFFFFF", "#F6F5F1", "#EFEDE7"
INPUT, INPUT_TINT, OUTPUT, OUTPUT_TINT = "#184EA1", "#E9F1FB", "#0A7D4C", "#E6F4EB"
SANS = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Apple SD Gothic Neo', 'Malgun Gothic', "
    "'Noto Sans KR', 'Noto Sans CJK KR', 'Liberation Sans', 'DejaVu Sans', sans-serif"
)
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace"
