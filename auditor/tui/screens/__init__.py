"""What fills the terminal, one screen a file.

What belongs here: screens, and the dialogs that they open. They import `widgets` and the modules beside this folder
except `app`; `app` imports them, and no widget may import them.
"""
