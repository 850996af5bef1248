"""Millions of images or pictures, read by one version in parts: a row for each, in one table.

input_files     what the command line names → files, and what is in each
part            some images or pictures of the inputs, read together: the unit of work and of going on
partition       the inputs → the list of parts, on disk, so that memory does not grow with it
picture_table   a Parquet table → its column of pictures, row group by row group
pixels          a part → its images as the network sees them, or why one cannot be read
answering       a part → its rows: what a worker does, here or on a cluster
here            the process of the command as a worker, until others are worth their start
fragment        the rows of a part as bytes, in the format of the table
table           the parts' fragments → the one table
score_progress  how far it is, while it runs
scored          what came of it: the summary that the command prints
score_job       all of it, in order; killed at any time, the same command goes on
"""
