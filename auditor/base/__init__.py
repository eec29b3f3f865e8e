"""What every layer needs and no layer owns: random draws, hostile text, user files, atomic files, cores.

What belongs here imports nothing else of `auditor`. Every other folder may import it.
"""
