"""From the text of a `.mod` file to its syntax: comments, macros, statements, blocks,
expressions.

`parser.parse` is the way in; what comes out is the data of `syntax.py`.
"""
