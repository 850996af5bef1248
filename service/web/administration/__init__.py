"""The pages for administrators: versions, and the feedback of users.

`doors` says who is signed in, `visit` what each of the pages shares; the pages are in the modules that have `routes`.
"""
