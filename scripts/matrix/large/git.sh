# The life of a repository: commits, branches, a merge with a conflict, a rebase, tags, packing, cloning, checking.
#
# torture: needs git
# torture: version git --version
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
export GIT_AUTHOR_NAME=author GIT_AUTHOR_EMAIL=author@example.org GIT_COMMITTER_NAME=author GIT_COMMITTER_EMAIL=author@example.org
git config --global advice.detachedHead false
git config --global protocol.file.allow always
git init -q -b main repository && cd repository
for i in 1 2 3 4 5 6 7 8; do
    mkdir -p "folder$((i % 3))"
    seq "$i" "$((i * 400))" >"folder$((i % 3))/file$i"
    git add . && git commit -q -m "commit $i"
done
git checkout -q -b side HEAD~3
for i in 1 2 3; do
    sed -i "s/^${i}0\$/side $i/" folder1/file4 folder2/file5
    git commit -q -a -m "side $i"
done
git checkout -q main
sed -i 's/^10$/main/' folder1/file4 && git commit -q -a -m 'main changes, too'
git merge side -m merged && echo 'no conflict'
git diff --name-only --diff-filter=U
git checkout -q --theirs folder1/file4 && git add . && git commit -q -m 'merged by hand'
git checkout -q -b rebased HEAD~1
echo more >more && git add more && git commit -q -m 'to be rebased'
git rebase -q main && git rev-parse HEAD
git tag -a -m 'a tag' v1 && git describe
git stash list
git worktree add -q ../tree side && git -C ../tree log --oneline | wc -l
git log --graph --oneline --all | sha256sum
git blame folder1/file4 | sha256sum
git checkout -q main && git gc -q --prune=now && git count-objects -v | grep -E '^(count|in-pack|packs)'
git fsck --full --strict 2>&1
cd .. && git clone -q --no-hardlinks "file://$PWD/repository" clone && git -C clone rev-parse HEAD
git -C clone submodule --quiet add "file://$PWD/repository" sub && git -C clone commit -q -m submodule && git -C clone rev-parse HEAD
git -C clone bundle create -q ../bundle main 2>&1 && git -C clone bundle verify -q ../bundle 2>&1 | head -1
git -C clone archive --format=tar HEAD | sha256sum
git -C clone bisect start HEAD HEAD~4 >/dev/null 2>&1 && git -C clone bisect run sh -c '! grep -q "side 2" folder2/file5' 2>&1 | tail -1
