"""The demo: a page at / of the server, made of nothing but the models' metadata.

    studio      what its handlers ask of the server, within the same limits; words tells what goes wrong
    address     what the address bar says
    controls    a component for each kind of input; easel takes or draws images and masks
    figures     what each kind of output looks like; recipes, how to make it again
    views       what can be shown of a model that draws
    drawing, translating, comparing    the panels; parts are what they share
    gallery     all models; card, what is known of one
    page        all of it, put together
    endpoints   what gradio_client calls by name
    mount       where it joins the server

It needs the extra `demo`; only the server imports it, and only where the demo is wanted.
"""
