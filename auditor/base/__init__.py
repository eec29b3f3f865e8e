"""What every layer needs and no layer owns: random draws, hostile text, files that users name.

What belongs here imports nothing else of `auditor`. Every other folder may import it.
"""
