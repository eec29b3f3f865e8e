"""What screens are made of, one widget a file.

What belongs here: parts that are shown what they draw, and that post a message when the person does something. They
open no screen. They import the modules beside this folder except `app`; screens import them.
"""
