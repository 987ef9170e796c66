"""Who answers what: from ``handlers/*.py`` and ``replies.ini`` to the one rule that answers a message.

Read in this order: ``marks`` (what ``@on.text("天气")`` leaves on a function), ``rules`` (the order of asking;
``index`` finds the keywords among them), ``handlers`` and ``table`` (the two places rules come from; ``headers`` and
``answers`` read a section of the table), ``load`` (both at once), ``run`` (asking them, whatever they do; ``loop`` for
those that are asynchronous). ``call`` says what a function may ask for, ``hours`` when a rule is open, ``regex`` which
expressions would freeze the process, ``errors`` what can be wrong.
"""
