"""Words that stand without spaces between them are found, in pairs of characters."""

from uuid import UUID

from alembic import op
from sqlalchemy import text

revision = "0012"
down_revision = "0011"

# Thai, Lao, Burmese, Khmer, Hangul, Kana, Bopomofo and Han.
UNSPACED = (
    r"\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ebe\u0ec0-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u109d\u1100-\u11ff"
    r"\u1780-\u17d3\u17d7\u17dc\u17dd\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u303c\u3041-\u3096\u3099\u309a"
    r"\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    r"\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb\uf900-\ufaff\uff66-\uffdc"
    r"\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)

# Every run is set apart, and each of its characters is said twice with a space between, which makes pairs of
# neighbours and leaves one character at each end. Most texts have no runs.
WORDS = rf"""to_tsvector('simple', CASE WHEN {{0}} ~ '[{UNSPACED}]' THEN
    regexp_replace(regexp_replace({{0}}, '([{UNSPACED}]+)', ' \1 ', 'g'), '([{UNSPACED}])', '\1 \1', 'g')
ELSE {{0}} END)"""

STEP = 1_000

# The messages behind one, and the last of them; those with runs get their words anew.
REWRITE = f"""
    WITH step AS MATERIALIZED (
        SELECT user_id, conversation_id, id FROM messages
        WHERE (user_id, conversation_id, id) > (:user_id, :conversation_id, :id)
        ORDER BY user_id, conversation_id, id
        LIMIT {STEP}
    ), written AS (
        UPDATE messages SET words = words_of(text) FROM step
        WHERE (messages.user_id, messages.conversation_id, messages.id) = (step.user_id, step.conversation_id, step.id)
            AND text ~ '[{UNSPACED}]'
    )
    SELECT * FROM step ORDER BY user_id DESC, conversation_id DESC, id DESC LIMIT 1
"""  # noqa: S608 (our own)


def upgrade() -> None:
    op.execute(f"""
        CREATE FUNCTION words_of(text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN {WORDS.format("$1")}
    """)
    # A generated column's expression is only changed with the whole table, while nobody reads it.
    op.execute("ALTER TABLE messages ALTER words DROP EXPRESSION")
    op.execute(f"""
        CREATE FUNCTION put_words() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.words := {WORDS.format("NEW.text")};
            RETURN NEW;
        END
        $$
    """)
    op.execute("""
        CREATE TRIGGER words BEFORE INSERT OR UPDATE OF text ON messages FOR EACH ROW EXECUTE FUNCTION put_words()
    """)
    last = {"user_id": "", "conversation_id": UUID(int=0), "id": UUID(int=0)}
    while row := op.get_bind().execute(text(REWRITE), last).mappings().first():
        last = dict(row)
