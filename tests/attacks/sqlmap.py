"""sqlmap against each injectable input of the shop."""

import shutil
from pathlib import Path

from tests.attacks.setting import AGENT, Outcome, output, protected, protections, shop

FOUND = "sqlmap identified the following injection point"
INPUTS = {
    "query": ("/item?id=1",),
    "search": ("/search?q=shirt",),
    "form": ("/login", "--data=user=ann&password=secret", "-p", "user"),
    "JSON": ("/api/item", '--data={"id": "1"}', "--headers=Content-Type: application/json"),
    "cookie": ("/visits", "--cookie=visitor=1", "--level=2", "-p", "visitor"),
}
EVASIONS = "--tamper=space2comment,between,randomcase"


async def run(folder: Path) -> list[Outcome] | None:
    """Return an outcome for each protection; None without sqlmap."""
    program = shutil.which("sqlmap")
    if program is None:
        return None
    outcomes = []
    async with shop() as member:
        for name, options in protections().items():
            for evading in (False, True) if options else (False,):
                place = folder / f"{name}-{evading}"
                async with protected(place, member, options) as port:
                    found = [each for each in INPUTS if await _injected(program, place, port, each, evading)]
                wanted = [] if options else list(INPUTS)
                wrong = (
                    "" if found == wanted else f"found {found or 'nothing'}, expected {wanted or 'nothing'}"
                )
                title = f"sqlmap, rules: {name}" + (", evading" if evading else "")
                outcomes.append(Outcome(title, len(found), len(INPUTS), " ".join(found), wrong))
    return outcomes


async def _injected(program: str, folder: Path, port: int, name: str, evading: bool) -> bool:
    path, *more = INPUTS[name]
    printed = await output(
        program,
        "-u",
        f"http://127.0.0.1:{port}{path}",
        "--batch",
        "--flush-session",
        "--disable-coloring",
        f"--output-dir={folder / name}",
        f"--user-agent={AGENT}",
        "--technique=BEU",
        "--dbms=sqlite",
        "--retries=0",
        "--threads=4",
        "--ignore-proxy",
        *([EVASIONS] if evading else []),
        *more,
        folder=folder,
    )
    (folder / f"{name}.txt").write_text(printed)
    if FOUND not in printed and "do not appear to be injectable" not in printed:
        raise RuntimeError(f"sqlmap did not end as usual: {printed[-500:]}")
    return FOUND in printed
