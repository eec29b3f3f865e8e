"""What people and programs read: a plan, a run or a benchmark as text, JSON, Markdown or HTML.

What belongs here: how figures, verdicts and evidence are put into words, tables and plots. It computes no verdict. It
imports `experiments` and what stands lower; `cli` and `tui` import it.
"""
