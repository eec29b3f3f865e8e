"""The parts of `docs/reference/` that the code knows: `python -m tests.docs.reference` writes them anew.

Each module here makes one page, from the objects that the program itself uses. Nothing outside the tests imports this.
"""
