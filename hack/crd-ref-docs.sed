# Braces are escaped for other renderers than GitHub's, which shows the backslash inside of code.
s/\\\([{}]\)/\1/g
