"""Man pages of the commands, by what each says of itself (`--experimental-dump-help`) and its page in Docs/Commands."""
import re


def roff(text):
    """A text as roff shows it: nothing in it is a request or an escape."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("`", "")
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def names(argument):
    """`-q, --quiet` or `--out dir` or `shard ...`, in roff."""
    value = argument.get("valueName", "value")
    if argument["kind"] == "positional":
        return f"\\fI{roff(value)}\\fR" + " ..." * argument["isRepeating"]
    dashes = {"short": "-", "longWithSingleDash": "-", "long": "--"}
    shown = ", ".join(f"\\fB{roff(dashes[name['kind']] + name['name'])}\\fR" for name in argument["names"])
    return shown + (f" \\fI{roff(value)}\\fR" if argument["kind"] == "option" else "")


def definition(argument):
    """What an argument means, with its values and default."""
    text = argument.get("abstract", "")
    if argument.get("discussion"):
        text += "\n" + argument["discussion"]
    if argument.get("allValues") and not all(value in text for value in argument["allValues"]):
        text += f" (values: {', '.join(argument['allValues'])})"
    if argument.get("defaultValue") and argument["kind"] == "option":
        # The number of threads is that of the machine that the page was made on.
        many = any(name["name"] == "threads" for name in argument["names"])
        text += " (default: all processors)" if many else f" (default: {argument['defaultValue']})"
    return roff(text.strip())


def examples(document):
    """The first block of commands on a page of Docs/Commands."""
    found = re.search(r"^```\n(.*?)^```", document, re.S | re.M)
    return found[1] if found else ""


def exit_codes(document):
    """The table of exit codes of a page of Docs/Commands, as code and meaning."""
    rows = (line.strip("| ").split(" | ", 1) for line in document.splitlines() if re.match(r"\| \d", line))
    return [row for row in rows if len(row) == 2 and re.fullmatch(r"[\d, ]+", row[0])]


def head(name, abstract, version):
    return [f'.TH "{name.upper()}" "1" "" "swift\\-vqgan {roff(version)}"', ".SH NAME",
            f"{roff(name)} \\- {roff(abstract.rstrip('.'))}"]


def tail(name, codes, others):
    lines = [".SH EXIT STATUS"]
    for code, meaning in codes:
        lines += [".TP", f".B {code}", roff(meaning)]
    return lines + [".SH SEE ALSO", ",\n".join(f".BR {roff(other)} (1)" for other in others if other != name)
                    .replace(",\n", " ,\n")]


def page(dump, document, shared, version, others):
    """The page of a command.

    dump: what it says of itself. document, shared: its page of Docs/Commands, and that of all. others: all commands.
    """
    command = dump["command"]
    name = command["commandName"]
    arguments = [argument for argument in command["arguments"] if argument["shouldDisplay"]]
    lines = head(name, command["abstract"], version) + [".SH SYNOPSIS", f".B {roff(name)}"]
    lines += [("{}" if not argument["isOptional"] else "[{}]").format(names(argument)) for argument in arguments
              if argument["kind"] == "positional" or not argument["isOptional"]] + ["[\\fIoptions\\fR]"]
    lines += [".SH DESCRIPTION", roff(command["abstract"])]
    for paragraph in command.get("discussion", "").split("\n\n"):
        if paragraph:
            lines += [".PP", roff(paragraph)]
    lines.append(".SH OPTIONS")
    section = None
    for argument in arguments:
        title = argument.get("sectionTitle", "Other options" if section else None)
        if title != section:
            lines.append(f".SS {roff(title)}")
        section = title
        lines += [".TP", names(argument), definition(argument)]
    if examples(document):
        lines += [".SH EXAMPLES", ".nf", roff(examples(document).rstrip("\n")), ".fi"]
    return "\n".join(lines + tail(name, exit_codes(document) or exit_codes(shared), others)) + "\n"


def umbrella(dumps, shared, version, others):
    """The page of `vqgan`."""
    lines = head("vqgan", "VQGANs and transformers on images, one name for all commands", version)
    lines += [".SH SYNOPSIS", ".B vqgan", "\\fIcommand\\fR ...", ".br", ".B vqgan help", "[\\fIcommand\\fR]", ".br",
              ".B vqgan \\-\\-version", ".SH DESCRIPTION",
              roff("Becomes the command that stands beside it, wherever links lead to it, or else the one on PATH: "
                   "`vqgan train-gpt ...` is `train-gpt ...`."), ".SH COMMANDS"]
    for dump in dumps:
        command = dump["command"]
        lines += [".TP", f".BR {roff(command['commandName'])} (1)", roff(command["abstract"])]
    codes = [("64", "no such command, or none at all"), ("66", "the command is neither beside vqgan nor on PATH"),
             ("others", "those of the command")]
    return "\n".join(lines + tail("vqgan", codes, others)) + "\n"
