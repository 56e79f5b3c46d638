# You can change this file: it is copied here once, at the sandbox's first start.
case $- in
*i*) ;;
*) return ;;
esac
HISTCONTROL=ignoreboth
HISTSIZE=5000
shopt -s histappend checkwinsize
PS1='\[\e[1;34m\]${PROJECT_NAME:-sandbox}\[\e[0m\]:\[\e[1;32m\]\w\[\e[0m\]\$ '
alias ls='ls --color=auto' ll='ls -l' grep='grep --color=auto'
